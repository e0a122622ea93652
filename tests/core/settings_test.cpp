#include "core/settings.hpp"

#include <doctest/doctest.h>

#include "core/option_table.hpp"

using namespace pw;
using namespace std::chrono_literals;

namespace {

Given cli(const char* name, const char* text) {
  return {name, text, {Layer::command_line, "command line"}};
}
Given env(const char* name, const char* text) { return {name, text, {Layer::environment, "ENV"}}; }
Given file(const char* name, const char* text) {
  return {name, text, {Layer::config_file, "f.yaml:1:1"}};
}
Given site(const char* name, const char* text) {
  return {name, text, {Layer::site_file, "/etc/x:1:1"}};
}

Merged merge(std::vector<Given> given) { return merge_settings(given); }

}  // namespace

TEST_CASE("command line > environment > --config > site > default") {
  CHECK(
      merge({site("margin", "1s"), file("margin", "3s"), env("margin", "4s"), cli("margin", "5s")})
          .settings.margin == 5s);
  CHECK(merge({site("margin", "1s"), file("margin", "3s"), env("margin", "4s")}).settings.margin ==
        4s);
  CHECK(merge({site("margin", "1s"), file("margin", "3s")}).settings.margin == 3s);
  CHECK(merge({site("margin", "1s")}).settings.margin == 1s);
  CHECK(merge({}).settings.margin == 2s);
}

TEST_CASE("a profile is weaker than all that was said outright, and stronger than the default") {
  const Given shipped{"margin", "7s", {Layer::profile, "profile p"}};
  const Given from_config{"margin", "6s", {Layer::config_profile, "f.yaml:1:1"}};
  CHECK(merge({shipped}).settings.margin == 7s);
  CHECK(merge({shipped, from_config}).settings.margin == 6s);
  CHECK(merge({shipped, from_config, site("margin", "1s")}).settings.margin == 1s);
  CHECK(merge({{"exit-preempted", "85", {Layer::profile, "profile p"}},
               site("exit-preempted", "off")})
            .settings.exit_preempted == std::nullopt);
  CHECK(merge({{"ladder", "relay@1s,KILL", {Layer::profile, "p"}}, site("grace", "9s")})
            .settings.ladder.grace == Nanos(9s));
  CHECK(merge({{"margin", "x", {Layer::config_profile, "f"}}}).errors.size() == 1);
  CHECK(merge({{"margin", "x", {Layer::profile, "f"}}}).warnings.size() == 1);
}

TEST_CASE("the strongest word on an option") {
  const std::vector<Given> given{site("profile", "a"), cli("profile", "b"), env("profile", "c")};
  CHECK(strongest_given(given, "profile")->text == "b");
  CHECK(strongest_given(given, "grace") == nullptr);
}

TEST_CASE("strict where the user can see it, lenient where they cannot") {
  const Merged strict = merge({cli("margin", "x"), file("grace", "-1")});
  CHECK(strict.errors.size() == 2);
  CHECK(strict.warnings.empty());
  const Merged lenient = merge({env("margin", "x"), site("margin", "7s"), site("grace", "y")});
  CHECK(lenient.errors.empty());
  CHECK(lenient.warnings.size() == 2);
  CHECK(lenient.settings.margin == 7s);  // the next layer's value counts
  CHECK(lenient.chosen.at("margin").origin.place == "/etc/x:1:1");
}

TEST_CASE("a value that is overridden is still looked at") {
  CHECK(merge({cli("margin", "5s"), file("margin", "x")}).errors.size() == 1);
}

TEST_CASE("--grace and --ladder: the stronger layer counts, in one layer they clash") {
  CHECK(merge({cli("grace", "5s"), cli("ladder", "relay@1s,KILL")}).errors.size() == 1);
  // What `config` prints of a ladder can be fed back: auto is no grace of its own.
  const Merged fed_back = merge({cli("grace", "auto"), cli("ladder", "relay@1s,KILL")});
  CHECK(fed_back.errors.empty());
  CHECK(fed_back.settings.ladder.own_rungs);
  const Merged merged = merge({cli("grace", "5s"), site("ladder", "relay@1s,KILL")});
  CHECK(merged.errors.empty());
  CHECK(merged.settings.ladder.grace == Nanos(5s));
  CHECK_FALSE(merged.settings.ladder.own_rungs);
}

TEST_CASE("what each option takes, and refuses") {
  struct Row {
    const char* name;
    const char* text;
    bool good;
  };
  const Row rows[] = {
      {"notice", "USR1,TERM", true},
      {"notice", "none", true},
      {"notice", "", false},
      {"notice", "SEGV", false},
      {"notice", "CHLD", false},
      {"notice", "USR1,", false},
      {"notice", "KILL", false},
      {"notice", "USR9", false},
      {"map-signal", "USR1:TERM", true},
      {"map-signal", "USR1:", true},
      {"map-signal", "USR1", false},
      {"map-signal", "USR1:KILL", false},
      {"map-signal", "KILL:TERM", false},
      {"map-signal", "USR1:A,USR1:", false},
      {"map-signal", "USR1:TERM,USR1:INT", false},
      {"to", "child", true},
      {"to", "everyone", false},
      {"grace", "auto", true},
      {"grace", "5m", true},
      {"grace", "-5", false},
      {"lead", "90", true},
      {"lead", "none", true},
      {"lead", "0", false},
      {"margin", "0s", true},
      {"max-grace", "20m", true},
      {"max-grace", "auto", false},
      {"ready", "notify", true},
      {"ready", "90s", true},
      {"ready", "0", true},
      {"ready", "yes", false},
      {"ready", "", false},
      {"watchdog", "30s", true},
      {"watchdog", "0", false},
      {"watchdog", "-1", false},
      {"watchdog", "x", false},
      {"stagger", "100s", true},
      {"stagger", "0", true},
      {"stagger", "soon", false},
      {"start-rate", "0", false},
      {"start-rate", "-1/s", false},
      {"start-rate", "5/parsec", false},
      {"max-starting", "0", false},
      {"max-starting", "49", false},
      {"gate", "", false},
      {"gate-unit", "rank", true},
      {"gate-unit", "node", false},
      {"max-delay", "1h", true},
      {"max-delay", "never", false},
      {"require-gate", "", false},  // without --gate
      {"require-gate", "perhaps", false},
      {"stopped-exit", "0", true},
      {"stopped-exit", "255", true},
      {"stopped-exit", "256", false},
      {"stopped-exit", "-1", false},
      {"index", "-1", false},
      {"index", "9223372036854775808", false},
      {"count", "0", false},
      {"stragglers", "leave", true},
      {"stragglers", "0", true},
      {"stragglers", "x", false},
      {"if-wrapper-dies", "none", true},
      {"if-wrapper-dies", "KILL", true},
      {"if-wrapper-dies", "x", false},
      {"exit-preempted", "85", true},
      {"exit-preempted", "0", false},
      {"exit-preempted", "256", false},
      {"exit-zero", "done", true},
      {"exit-zero", "x", false},
      {"done-file", "/x", true},
      {"done-file", "", false},
      {"log-level", "debug", true},
      {"log-level", "loud", false},
      {"quiet", "", true},
      {"quiet", "maybe", false},
      {"ladder", "relay@5s,KILL", true},
      {"ladder", "KILL", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CAPTURE(row.text);
    CHECK(merge({cli(row.name, row.text)}).errors.empty() == row.good);
  }
}

TEST_CASE("a weaker layer does not take back what a stronger one implies") {
  CHECK_FALSE(merge({cli("exit-preempted", "85"), site("exit-zero", "done")}).settings.exit_zero);
  CHECK(merge({cli("log-level", "debug"), site("quiet", "true")}).settings.log_level ==
        LogLevel::debug);
  CHECK(merge({cli("quiet", ""), site("log-level", "debug")}).settings.log_level ==
        LogLevel::warning);
  CHECK(merge({cli("quiet", ""), cli("log-level", "debug")}).settings.log_level ==
        LogLevel::warning);
}

TEST_CASE("a value that is not understood does not drive out a weaker rival") {
  const Merged merged = merge({env("grace", "banana"), site("ladder", "relay@5m,KILL")});
  CHECK(merged.settings.ladder.own_rungs);
  CHECK(merged.warnings.size() == 1);
}

TEST_CASE("off takes back what a weaker layer says") {
  const Merged merged = merge({cli("journal", "off"), site("journal", "/x"), cli("ladder", "off"),
                               site("ladder", "relay@5m,KILL")});
  CHECK(merged.errors.empty());
  CHECK(merged.settings.journal.empty());
  CHECK_FALSE(merged.settings.ladder.own_rungs);
  CHECK(merged.chosen.at("journal").origin.place == "command line");
}

TEST_CASE("--ready and --watchdog") {
  CHECK(merge({}).settings.ready == ReadyWhen::not_asked);
  CHECK(merge({cli("ready", "notify")}).settings.ready == ReadyWhen::told);
  const Settings later = merge({cli("ready", "90s")}).settings;
  CHECK(later.ready == ReadyWhen::later);
  CHECK(later.ready_after == 90s);
  CHECK(merge({cli("ready", "off"), site("ready", "notify")}).settings.ready ==
        ReadyWhen::not_asked);
  CHECK_FALSE(merge({}).settings.watchdog);
  CHECK(merge({cli("watchdog", "30s")}).settings.watchdog == Nanos(30s));
}

TEST_CASE("start control: what needs what, all said at once") {
  struct Row {
    std::vector<Given> given;
    std::size_t errors;
  };
  const Row rows[] = {
      {{cli("gate", "/g"), cli("start-rate", "5/s")}, 0},
      {{cli("gate", "/g"), cli("max-starting", "4"), cli("ready", "90s")}, 0},
      {{cli("gate", "/g")}, 1},
      {{cli("start-rate", "5/s")}, 1},
      {{cli("max-starting", "4"), cli("ready", "notify")}, 1},
      {{cli("max-starting", "4")}, 2},
      {{cli("gate", "/g"), cli("max-starting", "4")}, 1},
      {{cli("gate", "/g"), cli("max-starting", "4"), cli("start-rate", "5/s")}, 1},
      {{cli("index", "0"), cli("count", "1")}, 0},
      {{cli("index", "0")}, 1},
      {{cli("count", "1")}, 1},
      {{cli("index", "1"), cli("count", "1")}, 1},
      {{file("index", "1"), env("count", "1")}, 1},
      {{cli("index", "1"), cli("start-rate", "5/s"), cli("max-starting", "4")}, 4},
      {{cli("gate", "off"), cli("start-rate", "off")}, 0},
      // A site's rate is for those who name a gate; a gate alone in its file stops nobody.
      {{site("start-rate", "5/s")}, 0},
      {{site("start-rate", "5/s"), cli("gate", "/g")}, 0},
      {{site("gate", "/g"), cli("start-rate", "off")}, 0},
      {{env("index", "3")}, 0},
  };
  for (const Row& row : rows) {
    const Merged merged = merge(row.given);
    std::string said;
    for (const Complaint& error : merged.errors) said += error.line() + "\n";
    CAPTURE(said);
    CHECK(merged.errors.size() == row.errors);
  }
}

TEST_CASE("start control: what is left of it where a half is missing") {
  const Settings lenient =
      merge({site("gate", "/g"), site("max-starting", "4"), env("index", "3")}).settings;
  CHECK(lenient.gate.empty());
  CHECK(lenient.max_starting == 0);
  CHECK_FALSE(lenient.index);
  const Settings whole = merge({cli("gate", "/g"), site("start-rate", "200/min"), env("index", "3"),
                                env("count", "7")})
                             .settings;
  CHECK(whole.gate == "/g");
  CHECK(whole.start_spacing == Nanos(300ms));
  CHECK(whole.index == 3);
  CHECK(whole.count == 7);
  CHECK(merge({site("require-gate", "true")}).settings.require_gate);
  CHECK_FALSE(
      merge({env("require-gate", "no"), site("require-gate", "true")}).settings.require_gate);
}

TEST_CASE("start control is off by default") {
  const Settings defaults = merge({}).settings;
  CHECK_FALSE(defaults.stagger);
  CHECK_FALSE(defaults.index);
  CHECK_FALSE(defaults.start_spacing);
  CHECK(defaults.gate.empty());
  CHECK(defaults.max_starting == 0);
  CHECK(defaults.gate_unit == GateUnit::task);
  CHECK(defaults.max_delay == 30min);
  CHECK_FALSE(defaults.require_gate);
  CHECK(defaults.stopped_exit == 0);
  CHECK_FALSE(defaults.dry_run);
}

TEST_CASE("--exit-zero has its own word beside --exit-preempted") {
  CHECK(merge({cli("exit-preempted", "85"), cli("exit-zero", "done")}).settings.exit_zero ==
        ZeroMeans::done);
}

TEST_CASE("a run directory that is named for a run that does not register is a mistake") {
  CHECK(merge({cli("run-dir", "/x")}).errors.size() == 1);
  CHECK(merge({cli("run-dir", "/x"), cli("register", "true")}).errors.empty());
  CHECK(merge({site("run-dir", "/x")}).errors.empty());
}

TEST_CASE("the defaults in the options table are the defaults of the settings") {
  const Settings defaults;
  for (const Option& option : option_table()) {
    if (option.reach == Reach::command_line || option.default_text == "off") continue;
    CAPTURE(option.name);
    const Merged merged =
        merge({cli(std::string(option.name).c_str(), std::string(option.default_text).c_str()),
               cli("register", "true")});
    CHECK(merged.errors.empty());
    CHECK(merged.settings.notices == defaults.notices);
    CHECK(merged.settings.to == defaults.to);
    CHECK(merged.settings.ladder == defaults.ladder);
    CHECK(merged.settings.lead == defaults.lead);
    CHECK(merged.settings.lead_known == defaults.lead_known);
    CHECK(merged.settings.margin == defaults.margin);
    CHECK(merged.settings.max_grace == defaults.max_grace);
    CHECK(merged.settings.stragglers == defaults.stragglers);
    CHECK(merged.settings.if_wrapper_dies == defaults.if_wrapper_dies);
    CHECK(merged.settings.exit_zero == defaults.exit_zero);
    CHECK(merged.settings.gate_unit == defaults.gate_unit);
    CHECK(merged.settings.max_delay == defaults.max_delay);
    CHECK(merged.settings.stopped_exit == defaults.stopped_exit);
    CHECK(merged.settings.log_level == defaults.log_level);
  }
}
