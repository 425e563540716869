// Many threads that send, give up and stop at the same time.
#include <thread>

#include "fault/fault_setup.hpp"

namespace certpair::kube {
namespace {

using test::HttpAnswer;
using test::RawConnection;
using test::RawServer;
using test::RawServerTls;

// Answers most requests, stalls on some, resets some.
void Moody(RawConnection& connection) {
  for (int n = 1; !connection.ReadRequest().empty(); ++n) {
    if (n % 17 == 0) return connection.AwaitClose();
    if (n % 23 == 0) return connection.Reset();
    if (!connection.Write(HttpAnswer(200, std::string(2000, 'x')))) return;
  }
}

TEST(FaultCrowd, Sending_cancelling_and_late_threads_stay_apart) {
  test::TlsAuthority authority;
  RawServer server({Moody}, RawServerTls{authority.Issue(), ""});
  ClusterConfig config = ConfigOf(server);
  config.certificate_authority.inline_text = SecretString{authority.Certificate()};
  const HandClock clock;
  const auto transport = Connect(std::move(config), clock);
  std::atomic<int> answered = 0;
  std::atomic<int> odd = 0;
  const auto send = [&](int seed) {
    for (int i = 0; i < 150; ++i) {
      std::stop_source stop;
      std::jthread stopper;
      if ((i + seed) % 3 == 0) stopper = std::jthread([&] { stop.request_stop(); });
      const auto& request = i % 2 == 0 ? kGet : kPost;
      auto response = transport->Send(request, 250ms, stop.get_token());
      if (response) ++answered;
      const bool whole = response && response->status == 200 && response->body.size() == 2000;
      const bool expected = !response && (response.error().kind == ApiErrorKind::Cancelled ||
                                          response.error().kind == ApiErrorKind::Timeout ||
                                          response.error().kind == ApiErrorKind::Transport);
      if (!whole && !expected) ++odd;
    }
  };
  const auto took = TimeOf([&] {
    std::vector<std::jthread> threads;
    for (int seed = 0; seed < 8; ++seed) threads.emplace_back(send, seed);
  });
  EXPECT_EQ(odd, 0);
  EXPECT_GT(answered, 100);
  EXPECT_LT(took, 100s);
}

TEST(FaultCrowd, A_transport_may_end_before_its_requests_do) {
  for (int i = 0; i < 50; ++i) {
    RawServer server({[](RawConnection& connection) {
      connection.ReadRequest();
      connection.AwaitClose();
    }});
    const auto transport = Connect(server);
    auto response = transport->Send(kGet, 1ms, {});
    EXPECT_FALSE(response);
  }
}

}  // namespace
}  // namespace certpair::kube
