// What the fault tests share: a transport to a raw server, and requests to send.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "kube/client.hpp"
#include "kube/transport_cpprest.hpp"
#include "support/raw_server.hpp"
#include "unit/kube/hand_clock.hpp"

namespace certpair::kube {

using namespace std::chrono_literals;

/// Longer than anything on a slow machine, so that only the thing under test can end a call.
inline constexpr std::chrono::seconds kPatience{30};

inline const HttpRequest kGet{"GET", "/api/v1/things?limit=5", "", "application/json", ""};
inline const HttpRequest kPost{"POST", "/api/v1/things", "application/json", "application/json",
                               R"({"kind":"Thing"})"};

inline ClusterConfig ConfigOf(const test::RawServer& server) {
  ClusterConfig config;
  config.server = server.Address();
  return config;
}

inline std::shared_ptr<HttpTransport> Connect(ClusterConfig config, const Clock& clock) {
  auto transport = MakeTransport(std::move(config), clock);
  if (!transport) {
    ADD_FAILURE() << transport.error().message;
    std::abort();
  }
  return *transport;
}

inline std::shared_ptr<HttpTransport> Connect(const test::RawServer& server) {
  static const HandClock kClock;
  return Connect(ConfigOf(server), kClock);
}

inline bool TakesEveryLine(std::string_view /*line*/) { return true; }

/// Runs `call` and says how long it took.
template <class Call>
std::chrono::nanoseconds TimeOf(Call call) {
  const auto start = std::chrono::steady_clock::now();
  call();
  return std::chrono::steady_clock::now() - start;
}

}  // namespace certpair::kube
