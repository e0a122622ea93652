#include "config/command_line.hpp"

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>

#include <algorithm>
#include <set>

#include "core/option_table.hpp"
#include "core/text.hpp"

namespace pw {
namespace {

namespace po = boost::program_options;

const Origin kOrigin{Layer::command_line, "command line"};

void complain(CommandLine& line, const std::string& text) {
  line.errors.push_back({kOrigin, text});
}

std::string unknown(std::string_view word, std::span<const Option> table) {
  std::vector<std::string> names;
  for (const Option& option : table) names.emplace_back(option.name);
  if (word == "--signal" || word.starts_with("--signal=")) {
    return "unknown option " + std::string(word) + " (it is sbatch's: #SBATCH --signal=USR1@90)";
  }
  const std::size_t dashes = std::min(word.find_first_not_of('-'), word.size());
  const std::string nearest = nearest_word(word.substr(dashes), names);
  return "unknown option " + std::string(word) +
         (nearest.empty() ? "" : " (did you mean --" + nearest + "?)");
}

// What one word at the front of the line is: how many words it takes, or that it is no option.
struct Front {
  std::size_t words = 0;  ///< 0: options have ended
  std::string problem;
};

// `--journal --grace 5m` lacks a value; one that begins with -- is written --journal=--x.
bool is_value(std::string_view word) { return !word.empty() && !word.starts_with("--"); }

using Seen = std::set<const Option*>;

Front long_option(std::string_view word, std::string_view next, std::span<const Option> table,
                  Seen& seen) {
  const auto equals = word.find('=');
  const Option* option = find_option(word.substr(2, equals - 2), table);
  if (option == nullptr) return {1, unknown(word.substr(0, equals), table)};
  seen.insert(option);
  const bool takes_value = !option->value.empty();
  if (equals != std::string_view::npos) {
    const std::string name(word.substr(0, equals));
    if (!takes_value) return {1, name + " takes no value"};
    return {1, equals + 1 < word.size() ? "" : name + " needs a value"};
  }
  if (takes_value && !is_value(next)) return {1, std::string(word) + " needs a value"};
  return {takes_value ? 2u : 1u, ""};
}

Front short_options(std::string_view word, std::string_view next, std::span<const Option> table,
                    Seen& seen) {
  for (std::size_t i = 1; i < word.size(); ++i) {
    const Option* option = find_option(word[i], table);
    if (option == nullptr) return {1, unknown("-" + std::string(1, word[i]), table)};
    seen.insert(option);
    if (option->value.empty()) continue;
    if (i + 1 < word.size()) return {1, ""};
    if (!is_value(next)) return {1, "-" + std::string(1, word[i]) + " needs a value"};
    return {2, ""};
  }
  return {1, ""};
}

Front look_at(std::string_view word, std::string_view next, std::span<const Option> table,
              Seen& seen) {
  if (word.size() < 2 || word[0] != '-') return {};
  return word[1] == '-' ? long_option(word, next, table, seen)
                        : short_options(word, next, table, seen);
}

// Only of the options that occur: describing all of them would be a tenth of our start.
po::options_description description(const Seen& seen) {
  po::options_description described;
  for (const Option* option : seen) {
    std::string names(option->name);
    if (option->letter != 0) names += "," + std::string(1, option->letter);
    if (option->value.empty()) {
      described.add_options()(names.c_str(), "");
    } else {
      described.add_options()(names.c_str(), po::value<std::string>(), "");
    }
  }
  return described;
}

void take(CommandLine& line, const po::option& parsed) {
  const std::string& name = parsed.string_key;
  const std::string value = parsed.value.empty() ? "" : parsed.value[0];
  if (name == "help") {
    line.wanted = Wanted::help;
  } else if (name == "help-all") {
    line.wanted = Wanted::help_all;
  } else if (name == "version") {
    line.wanted = Wanted::version;
  } else if (name == "config") {
    line.config_path = value;
  } else {
    line.given.insert(line.given.begin(), {name, value, kOrigin});
  }
}

void parse_options(CommandLine& line, const std::vector<std::string>& words, const Seen& seen) {
  namespace style = po::command_line_style;
  const po::options_description known = description(seen);
  try {
    const auto parsed = po::command_line_parser(words)
                            .options(known)
                            .style(style::unix_style & ~style::allow_guessing)
                            .run();
    for (const po::option& option : parsed.options) take(line, option);
  } catch (const po::error& error) {
    complain(line, error.what());
  }
}

}  // namespace

CommandLine parse_command_line(std::span<const std::string> words, std::span<const Option> table) {
  CommandLine line;
  std::vector<std::string> options;
  Seen seen;
  std::size_t next = 0;
  while (next < words.size() && words[next] != "--") {
    const Front front =
        look_at(words[next], next + 1 < words.size() ? words[next + 1] : "", table, seen);
    if (front.words == 0) break;
    if (front.problem.empty()) {
      options.insert(options.end(), words.begin() + static_cast<std::ptrdiff_t>(next),
                     words.begin() + static_cast<std::ptrdiff_t>(next + front.words));
    } else {
      complain(line, front.problem);
    }
    next += front.words;
  }
  if (next < words.size() && words[next] == "--") ++next;
  line.command.assign(words.begin() + static_cast<std::ptrdiff_t>(next), words.end());
  if (!options.empty()) parse_options(line, options, seen);
  return line;
}

}  // namespace pw
