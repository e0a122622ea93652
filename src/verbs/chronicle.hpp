#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/journal_record.hpp"
#include "core/process_tree.hpp"
#include "core/settings.hpp"
#include "core/time.hpp"
#include "os/log_stream.hpp"
#include "os/writer.hpp"
#include "verbs/notice_teller.hpp"

namespace pw {

/// Who writes: fixed for a run.
struct Identity {
  std::string host;
  std::string job;  ///< empty outside Slurm
  std::string step;
  int rank = 0;
  int restarts = 0;
};

/// What a run leaves behind: the log on stderr, the journal and the notice file. Lines are kept
/// until flush(), so that the loop acts first and writes after; neither ever blocks it.
class Chronicle {
 public:
  Chronicle(LogLevel level, Identity identity);

  /// From now on journal() lines go to this file. Says so if no writer could be made.
  void open_journal(const std::string& path);

  /// The notice file; it tells at flush(), as the rest does.
  NoticeTeller& notices() { return notices_; }

  /// A sentence for stderr: routine lines (info, debug) by rank 0 only, trouble by every rank.
  /// `left`: the time to the deadline, put before the sentence.
  void log(LogLevel level, std::string_view sentence, std::optional<Nanos> left = {});

  /// log() at warning level, and a "warning" line in the journal.
  void warn(std::string_view sentence);

  /// One event; ts, mono, host, pid and the job's ids are put before the record's own fields.
  void journal(std::string_view event, const JournalRecord& record);

  bool wants_journal() const { return journal_.has_value(); }
  bool wants(LogLevel level) const {
    return level <= level_ && (level <= LogLevel::warning || identity_.rank == 0);
  }
  void flush();

  /// Adds what is readable when the journal or the notice file has trouble to tell of.
  void add_trouble_fds(std::vector<int>& fds) const;
  void close();

  /// Our writers, which are not of the trainer's tree.
  std::vector<ProcessId> helpers() const;

 private:
  void tell_trouble();
  void tell_notice_trouble(const std::string& trouble);

  LogLevel level_;
  Identity identity_;
  bool journal_stamps_;  // systemd's: a time of ours would be the second one
  LogStream stderr_;
  std::optional<Writer> journal_;
  NoticeTeller notices_;
  std::vector<std::string> log_lines_;
  std::vector<std::string> journal_lines_;
  int journal_dropped_ = 0;
};

}  // namespace pw
