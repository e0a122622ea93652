#include "core/agent_rule.hpp"

#include <doctest/doctest.h>

#include "core/delivery.hpp"
#include "fake_tree.hpp"

using namespace pw;

namespace {

constexpr int kAgent = 10;
constexpr int kRun = 20;

// Both kinds of agent, as the kernel shows them: without --forward-signals, and with it.
constexpr const char* kPlain = "10:wandb+INT";
constexpr const char* kForwarding = "10:wandb*";

// The agent with its wandb-core, and its trainer, which catches what `marks` says.
FakeTree with_run(const std::string& agent, const std::string& marks) {
  return FakeTree(agent + " 11<10:wandb-core* 20<10:python" + marks + " 21<20:wandb-core*");
}

using Sent = std::vector<std::pair<int, Signal>>;

Sent sent(const Delivery::Step& step) {
  Sent all;
  for (const Delivery::Send& send : step.sends) all.emplace_back(send.to.id.pid, send.signal);
  return all;
}

struct Notice {
  Delivery delivery{Transparent{}, {}, NoHandler::term};
  Delivery::Step begin(FakeTree& tree, Signal signal,
                       Delivery::Agents agents = Delivery::Agents::stop) {
    delivery.set_agents(agents);
    return delivery.begin(tree, tree.entry(kAgent), Instant{}, signal, Instant{});
  }
};

}  // namespace

TEST_CASE("an agent gets one INT before its trainer gets the notice") {
  for (const char* name : {"USR1", "TERM", "INT"}) {
    CAPTURE(name);
    const Signal signal = parse_signal(name).value();
    FakeTree tree = with_run(kPlain, "+INT+" + std::string(name));
    Notice notice;
    const auto step = notice.begin(tree, signal);
    CHECK(sent(step) == Sent{{kAgent, SIGINT}, {kRun, signal}});
    CHECK_FALSE(step.agents_pending);
    CHECK(step.waiting.empty());
    CHECK(sent(notice.begin(tree, signal)) == Sent{{kRun, signal}});
  }
}

TEST_CASE("an agent that forwards, or ignores INT, gets TERM when its trainer is gone") {
  for (const char* agent : {kForwarding, "10:wandb-INT"}) {
    FakeTree tree = with_run(agent, "+USR1");
    Notice notice;
    auto step = notice.begin(tree, SIGUSR1);
    CHECK(sent(step) == Sent{{kRun, SIGUSR1}});
    CHECK(step.agents_pending);
    CHECK(sent(notice.delivery.look_at_agents(tree, Instant{})).empty());
    tree.remove(kRun);
    step = notice.delivery.look_at_agents(tree, Instant{});
    CHECK(sent(step) == Sent{{kAgent, SIGTERM}});
    tree.remove(kAgent);
    step = notice.delivery.look_at_agents(tree, Instant{});
    CHECK(sent(step).empty());
    CHECK_FALSE(step.agents_pending);
  }
}

TEST_CASE("an agent that hangs in its cleaning up is told again; one that is dead is not") {
  FakeTree tree(kForwarding);
  Notice notice;
  CHECK(sent(notice.begin(tree, SIGUSR1)) == Sent{{kAgent, SIGTERM}});
  const auto look = [&](Nanos at) {
    return notice.delivery.look_at_agents(tree, Instant(Nanos(at)));
  };
  CHECK(sent(look(kAgentHangs - Nanos(1))).empty());
  CHECK(sent(look(kAgentHangs)) == Sent{{kAgent, SIGTERM}});
  CHECK(look(kAgentHangs).agents_pending);
  tree.state(kAgent).caught = {};  // a zombie has no handlers
  CHECK_FALSE(look(3 * kAgentHangs).agents_pending);
}

TEST_CASE("an agent without a run is told at once") {
  const auto alone = [](const std::string& agent) {
    FakeTree tree(agent + " 11<10:wandb-core* 12<10:python3");
    tree.set_group(12, kAgent);  // Python's resource tracker stays in its group: it is no run
    Notice notice;
    const Sent all = sent(notice.begin(tree, SIGUSR1));
    CHECK(notice.delivery.told_anybody());
    return all;
  };
  CHECK(alone(kPlain) == Sent{{kAgent, SIGINT}});
  CHECK(alone("10:wandb") == Sent{{kAgent, SIGINT}});
  CHECK(alone("10:wandb-INT") == Sent{{kAgent, SIGTERM}});
  CHECK(alone(kForwarding) == Sent{{kAgent, SIGTERM}});
}

TEST_CASE("a trainer that is not able yet is held for, the agent is not") {
  for (const char* agent : {kPlain, kForwarding}) {
    FakeTree tree = with_run(agent, "+INT");
    Notice notice;
    auto step = notice.begin(tree, SIGUSR1);
    CHECK(sent(step).size() == (step.agents_pending ? 0 : 1));
    REQUIRE(step.waiting.size() == 1);
    CHECK(step.waiting[0].id.pid == kRun);
    tree.state(kRun).caught.insert(SIGUSR1);
    step = notice.delivery.look(tree, tree.entry(kAgent), {}, Instant(Seconds(3)));
    CHECK(sent(step) == Sent{{kRun, SIGUSR1}});
  }
}

TEST_CASE("a trainer without any handler is ended in the agent's place") {
  for (const char* agent : {kPlain, kForwarding}) {
    FakeTree tree = with_run(agent, "+INT");
    Notice held;
    held.begin(tree, SIGUSR1);
    const auto over = held.delivery.end_hold(tree, tree.entry(kAgent), {},
                                             Delivery::HoldEnd::time_is_over, Instant{});
    CHECK(sent(over) == Sent{{kRun, SIGTERM}});
    Notice term;
    CHECK(sent(term.begin(tree, SIGTERM)).back() == std::pair<int, Signal>(kRun, SIGTERM));
  }
}

TEST_CASE("--no-handler send gives no agent what is its trainer's") {
  FakeTree tree("10:wandb*");
  Notice notice;
  notice.delivery = Delivery(Transparent{}, {}, NoHandler::send);
  CHECK(sent(notice.begin(tree, SIGUSR1)) == Sent{{kAgent, SIGTERM}});
  const auto over = notice.delivery.end_hold(tree, tree.entry(kAgent), {},
                                             Delivery::HoldEnd::time_is_over, Instant{});
  CHECK(sent(over).empty());
}

TEST_CASE("an old agent may have a young run: it is held for as long as any") {
  FakeTree tree = with_run(kPlain, "+TERM");
  Notice notice;
  const auto step =
      notice.delivery.begin(tree, tree.entry(kAgent), Instant{}, SIGUSR1, Instant(Seconds(7200)));
  CHECK(sent(step) == Sent{{kAgent, SIGINT}});
  CHECK(step.waiting.size() == 1);
}

TEST_CASE("the trainer is named by a file: the agent is told all the same") {
  FakeTree tree = with_run(kPlain, "+USR1");
  Notice notice;
  CHECK(sent(notice.delivery.agents_below(tree, tree.entry(kAgent), Instant{})) ==
        Sent{{kAgent, SIGINT}});
  CHECK(sent(notice.delivery.begin(tree, tree.entry(kRun), Instant{}, SIGUSR1, Instant{},
                                   Extent::root_alone)) == Sent{{kRun, SIGUSR1}});
}

TEST_CASE("advice leaves the agent at work") {
  for (const char* agent : {kPlain, kForwarding}) {
    FakeTree tree = with_run(agent, "+USR1");
    Notice notice;
    const auto step = notice.begin(tree, SIGUSR1, Delivery::Agents::let_alone);
    CHECK(sent(step) == Sent{{kRun, SIGUSR1}});
    CHECK_FALSE(step.agents_pending);
  }
}

TEST_CASE("agents behind a shell, each by its own state") {
  FakeTree tree(
      "10:bash+CHLD 100<10:wandb+INT 101<100:python+USR1 "
      "200<10:wandb* 201<200:python+USR1 300<10:wandb*");
  Notice notice;
  const auto step = notice.begin(tree, SIGUSR1);
  CHECK(sent(step) == Sent{{100, SIGINT}, {300, SIGTERM}, {101, SIGUSR1}, {201, SIGUSR1}});
  CHECK(step.agents_pending);
}
