// A session of the plugin upon an API server in memory.
#pragma once

#include <string>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "activate.hpp"
#include "auto.hpp"
#include "delete.hpp"
#include "describe.hpp"
#include "doctor.hpp"
#include "download.hpp"
#include "generate.hpp"
#include "list.hpp"
#include "session.hpp"
#include "set_authentication.hpp"
#include "simulate.hpp"
#include "subscribe.hpp"
#include "subscribers.hpp"
#include "unit/actions/fake_cluster.hpp"
#include "unsubscribe.hpp"
#include "version.hpp"

namespace certpair::plugin {

using actions::DryRun;
using actions::kFirst;
using actions::kGroupPath;
using actions::kLeasePath;
using actions::kSecond;
using nlohmann::json;

class PluginTest : public actions::ClusterTest {
 protected:
  Session TheSession() {
    return {.client = client_,
            .console = console_,
            .clock = clock_,
            .namespace_ = namespace_,
            .operator_namespace = "certpair-system",
            .context = "context \"test\"",
            .stop = stop_.get_token(),
            .pause = [this](std::chrono::milliseconds duration) { return Pause(duration); }};
  }

  std::string out_;
  std::string err_;
  Console console_{.out = [this](std::string_view text) { out_ += text; },
                   .err = [this](std::string_view text) { err_ += text; },
                   .ask = {}};
};

inline Exit ExitOf(const Outcome& outcome) { return outcome ? Exit::Done : outcome.error().exit; }
inline std::string MessageOf(const Outcome& outcome) {
  return outcome ? "" : outcome.error().message;
}

}  // namespace certpair::plugin
