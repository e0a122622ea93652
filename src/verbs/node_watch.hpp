#pragma once
#include <list>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/watch_settings.hpp"
#include "os/folder_watch.hpp"
#include "os/helper.hpp"
#include "os/pid_file_reading.hpp"
#include "os/presence.hpp"
#include "os/signal_fd.hpp"
#include "verbs/chronicle.hpp"
#include "verbs/cloud_watch.hpp"
#include "verbs/hooks.hpp"
#include "verbs/node_notice.hpp"
#include "verbs/service_voice.hpp"

namespace pw {

/// The node's daemon behind `watch`: hears a cloud, reads who has registered, and tells them. It
/// ends by TERM or INT; if the system is being shut down then, that is a notice, too. It starts no
/// trainer, so nobody's work hangs on its life.
class NodeWatch {
 public:
  NodeWatch(WatchSettings settings, SignalFd signals, Chronicle& chronicle);
  int run();

 private:
  void open();
  void wait();
  std::optional<Instant> next_wake() const;
  void take(const CaughtSignal& caught);
  void reap();
  void hear_cloud();
  void begin(NodeNotice::Plan plan, const char* cause);
  void withdraw();
  void look_around();
  void hear_reading();
  void take_file(const Result<PidFileFacts>& file);
  void recall(const PidTarget& process);
  void refuse(const std::string& why);
  void advance();
  void ask_whether_stopping();
  void hear_whether_stopping();
  void tell_manager();

  WatchSettings settings_;
  SignalFd signals_;
  Chronicle& chronicle_;
  CloudWatch cloud_;
  Hooks hooks_;
  ServiceVoice service_;
  FolderWatch folders_;
  Presence presence_;
  bool told_unseen_ = false;  // that we could not announce ourselves
  std::optional<ToldBook> book_;
  std::optional<PidFileReading> reading_;
  std::optional<Instant> look_at_;  // when to read the folder again
  Instant read_at_{};               // the last time
  int seen_ = 0;                    // by this reading
  int not_believed_ = 0;            // likewise
  int trainers_ = 0;                // by the last one
  std::set<std::string> refused_;   // told already
  Instant refused_since_{};
  std::list<NodeNotice> notices_;
  bool recalls_ = false;            // what one before us has told was withdrawn
  std::optional<Helper> stopping_;  // asks systemd
  bool shutdown_ = false;
  bool over_ = false;
  bool ready_ = false;
  Instant began_{};
  std::optional<Nanos> watchdog_;
  Instant fed_{};
};

}  // namespace pw
