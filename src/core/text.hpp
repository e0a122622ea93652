#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pw {

std::string upper_case(std::string_view text);    ///< ASCII only, whatever the locale.
std::string_view trimmed(std::string_view text);  ///< Without blanks at both ends.

/// "a,b,,c" by ',' is a, b, "", c; an empty text is no item at all.
std::vector<std::string_view> split(std::string_view text, char separator);

/// The known word nearest to `word`, if a slip of the fingers explains it (one edit in three
/// letters, at most three); else empty.
std::string nearest_word(std::string_view word, std::span<const std::string> known);

/// ` (did you mean "grace"?)`, or nothing: the end of a complaint about an unknown word.
std::string did_you_mean(std::string_view word, std::span<const std::string> known);

/// Names of files and processes, and what users give, are others' words: they end no line and move
/// no cursor. A ? for each control character.
std::string one_line(std::string text);

/// The part of a path after its last slash.
std::string_view base_name(std::string_view path);

}  // namespace pw
