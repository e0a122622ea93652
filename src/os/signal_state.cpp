#include "os/signal_state.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "os/fd.hpp"

namespace pw {
namespace {

// A status file has about 1.5 kB; with many supplementary groups it is longer, and the lines that
// we want are in its second half.
using Text = std::array<char, 64 * 1024>;

std::string_view read_text(const char* path, Text& text) {
  const Fd file(open(path, O_RDONLY | O_CLOEXEC));
  if (!file) return {};
  const ssize_t size = read(file.get(), text.data(), text.size() - 1);
  if (size <= 0) return {};
  text[static_cast<std::size_t>(size)] = '\0';
  return {text.data(), static_cast<std::size_t>(size)};
}

std::optional<SignalSet> signal_set(std::string_view status, std::string_view line) {
  const auto at = status.find(line);
  if (at == std::string_view::npos) return {};
  return SignalSet::from_bits(std::strtoull(status.data() + at + line.size(), nullptr, 16));
}

std::string_view read_status(pid_t pid, Text& text) {
  return read_text(("/proc/" + std::to_string(pid) + "/status").c_str(), text);
}

bool in_set_of(pid_t pid, std::string_view line, Signal signal) {
  Text text;
  return signal_set(read_status(pid, text), line).value_or(SignalSet{}).contains(signal);
}

// The thread's blocked set does not show what it waits for; its first argument does. Reading a
// descendant's memory is what ptrace(2) allows everywhere. Where it is forbidden (`relay` under
// Yama or an old container's seccomp) only that it waits for signals is to be seen: then for ours.
SignalSet waited_for(pid_t pid, const std::string& task, Text& text) {
  constexpr SignalSet kAny = SignalSet::from_bits(~std::uint64_t{0});
  const std::string_view call = read_text((task + "/syscall").c_str(), text);
  if (call.empty()) {
    const std::string_view sleeps_in = read_text((task + "/wchan").c_str(), text);
    return sleeps_in.starts_with("do_sigtimedwait") ? kAny : SignalSet{};
  }
  char* end = nullptr;
  if (std::strtol(call.data(), &end, 10) != SYS_rt_sigtimedwait) return {};
  std::uint64_t bits = 0;
  const iovec here{&bits, sizeof bits};
  const iovec there{reinterpret_cast<void*>(std::strtoull(end, nullptr, 16)), sizeof bits};
  if (process_vm_readv(pid, &here, 1, &there, 1, 0) != sizeof bits) return kAny;
  return SignalSet::from_bits(bits);
}

void read_threads(pid_t pid, Signal signal, SignalState& state, Text& text) {
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(tasks.c_str()), closedir);
  if (!folder) return;
  while (const dirent* item = readdir(folder.get())) {
    if (item->d_name[0] == '.') continue;
    const std::string task = tasks + "/" + item->d_name;
    const auto blocked = signal_set(read_text((task + "/status").c_str(), text), "SigBlk:");
    if (!blocked) continue;
    ThreadSignals thread{*blocked, {}};
    if (!blocked->contains(signal)) thread.waits_for = waited_for(pid, task, text);
    state.threads.push_back(thread);
    if (!blocked->contains(signal) && !thread.waits_for.contains(signal)) return;
  }
}

}  // namespace

std::optional<SignalState> read_signal_state(pid_t pid, Signal signal) {
  Text text;
  const std::string_view status = read_status(pid, text);
  const auto caught = signal_set(status, "SigCgt:");
  const auto ignored = signal_set(status, "SigIgn:");
  if (!caught || !ignored) return {};
  SignalState state{*caught, *ignored, {}};
  if (!caught->contains(signal) && !ignored->contains(signal)) {
    read_threads(pid, signal, state, text);
  }
  return state;
}

bool ignores_signal(pid_t pid, Signal signal) { return in_set_of(pid, "SigIgn:", signal); }

bool catches_signal(pid_t pid, Signal signal) { return in_set_of(pid, "SigCgt:", signal); }

}  // namespace pw
