#include "core/queued_notice.hpp"

#include <doctest/doctest.h>

using namespace pw;
using namespace std::chrono_literals;
using Kind = QueuedNotice::Kind;

TEST_CASE("what watch queues comes back as it was sent, to the millisecond") {
  for (const QueuedNotice& notice :
       {QueuedNotice{Kind::ends, 90s}, QueuedNotice{Kind::ends, 1ms}, QueuedNotice{Kind::ends, 24h},
        QueuedNotice{Kind::advice}, QueuedNotice{Kind::withdrawn}}) {
    CHECK(queued_notice(encode(notice)) == notice);
  }
  CHECK(queued_notice(encode({Kind::ends, 0s}))->left == 1ms);
  CHECK(queued_notice(encode({Kind::ends, 48h}))->left == 24h);
}

TEST_CASE("any other value is none") {
  const std::int64_t ours = encode({Kind::ends, 1s}).value;
  for (const Payload& none :
       {Payload{false, ours}, Payload{true, 0}, Payload{true, 90'000}, Payload{true, -1},
        Payload{true, INT64_MAX}, Payload{true, INT64_MIN}, Payload{true, ours & 0xffffffff},
        Payload{true, ours & ~std::int64_t{0xffffffff}}, Payload{true, ours | 0xffffffff}}) {
    CHECK_FALSE(queued_notice(none));
  }
}
