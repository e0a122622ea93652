#include "os/rank_book.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <limits>

#include "core/number.hpp"
#include "os/fd.hpp"
#include "os/own_folder.hpp"

namespace pw {
namespace {

constexpr const char* kOver = "over";
constexpr const char* kEnded = "ended";
constexpr Nanos kKeepFor = std::chrono::hours(24 * 30);
constexpr Nanos kClocksApart = std::chrono::hours(24);
constexpr int kRemovedMost = 1000;  // names, at a time

Nanos modified(const struct stat& found) {
  return Seconds(found.st_mtim.tv_sec) + Nanos(found.st_mtim.tv_nsec);
}

}  // namespace

Result<RankBook> RankBook::open(const std::string& state, const std::string& step, int rank) {
  PW_TRY(NoteFolder folder, NoteFolder::open(state, "ranks/" + step));
  RankBook book(std::move(folder), rank);
  // Replaced, so that its stamp is of today.
  if (const auto said = book.folder_.replace(book.own_, kEnded); !said) return said.error();
  return book;
}

bool RankBook::is_recent(const std::string& name) {
  if (recent_.contains(name)) return true;
  const auto ours = folder_.stamp(own_);
  const auto other = folder_.stamp(name);
  if (ours && other && *ours - *other > kClocksApart) return false;
  recent_.insert(name);
  return true;
}

Result<RankBook::Page> RankBook::read() {
  Page page;
  if (!folder_.there()) {
    page.over = true;
    return page;
  }
  PW_TRY(const auto names, folder_.names());
  for (const std::string& name : names) {
    const auto rank = parse_number(name);
    const bool over = name == kOver;
    if ((!rank && !over) || !is_recent(name)) continue;
    page.over = page.over || over;
    if (rank && *rank <= std::numeric_limits<int>::max())
      page.ended.insert(static_cast<int>(*rank));
  }
  return page;
}

void RankBook::write_for(int rank) { (void)folder_.replace(std::to_string(rank), kEnded); }

Result<void> RankBook::close() {
  if (const auto said = folder_.replace(kOver, kEnded); !said) return said;
  PW_TRY(const auto names, folder_.names());
  int left = kRemovedMost;
  for (const std::string& name : names) {
    if (name != kOver && left-- > 0) (void)folder_.remove(name);
  }
  return {};
}

void RankBook::prune(const std::string& state) {
  auto books = open_own_folder(state + "/ranks");
  struct stat now {};
  // Just written in, so stamped with the filesystem's clock of now.
  if (!books || fstat(books->get(), &now) != 0) return;
  const auto steps = names_in(books->get(), ".");
  if (!steps) return;
  int left = kRemovedMost;
  for (const std::string& step : *steps) {
    struct stat found {};
    if (step.starts_with('.') || left-- <= 0) continue;
    if (fstatat(books->get(), step.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (!S_ISDIR(found.st_mode) || modified(now) - modified(found) <= kKeepFor) continue;
    const auto notes = names_in(books->get(), step.c_str());
    if (!notes) continue;
    for (const std::string& note : *notes) {
      if (left-- > 0) unlinkat(books->get(), (step + "/" + note).c_str(), 0);
    }
    unlinkat(books->get(), step.c_str(), AT_REMOVEDIR);
  }
}

}  // namespace pw
