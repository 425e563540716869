// The flags of the operator; each can stand in the environment instead, as CERTPAIR_….
#pragma once

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "base/log.hpp"
#include "kube/lease.hpp"
#include "notify/settings.hpp"

namespace certpair::controller {

struct Options {
  std::string kubeconfig;
  std::string context;
  std::string
      namespace_;  ///< empty: POD_NAMESPACE, else the service account's, else certpair-system
  std::vector<std::string> watch_namespaces;
  bool leader_elect = true;
  kube::LeaseTimings lease;
  std::string check_ready;  ///< HOST:PORT of replicas to ask; the program does nothing else then
  std::string metrics_bind_address = ":8080";
  std::string health_probe_bind_address = ":8081";
  bool regeneration_supported = true;
  /// Keys of spec.secret that may stand on a pair's Secret: `core/secret_metadata.hpp`.
  std::vector<std::string> secret_metadata_allow;
  std::size_t workers = 8;
  std::size_t key_threads = 0;  ///< 0: one a core
  notify::MailFlags mail;
  log::Level log_level = log::Level::Info;
  log::Format log_format = log::Format::Text;
};

/// The options; or the exit status of a program that has printed its answer and ends (--help,
/// --version, a wrong flag).
[[nodiscard]] std::variant<Options, int> ParseOptions(int argc, const char* const* argv);

}  // namespace certpair::controller
