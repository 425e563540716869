// A local copy of one kind, kept true by list and watch: the five-state machine (after kube-rs'
// `watcher`) and the loop around it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "base/backoff.hpp"
#include "kube/client.hpp"

namespace certpair::kube {

/// What a reflector tells its store. Calls come from the reflector's one thread, in order.
class ReflectorSink {
 public:
  virtual ~ReflectorSink() = default;
  virtual void BeginList() = 0;  ///< a fresh list starts: gather beside the old content
  virtual void ListItem(nlohmann::json& item) = 0;
  virtual void FinishList() = 0;   ///< swap the gathered list in whole; what is missing is gone
  virtual void AbandonList() = 0;  ///< it failed: forget what was gathered, keep the old content
  virtual void Put(nlohmann::json& item) = 0;  ///< added or modified
  virtual void Remove(nlohmann::json& item) = 0;
  /// The copy is true again, after lists and watches had failed for so long.
  virtual void Recovered(std::chrono::nanoseconds /*failed_for*/) {}
};

/// For health and metrics. Thread-safe copies.
struct ReflectorState {
  bool synced = false;  ///< a list was finished once
  std::uint64_t lists = 0;
  std::uint64_t watch_restarts = 0;  ///< a watch ended other than by its timeout
  std::string last_error;            ///< empty: none since the last success
  /// The right is missing (403) since then, and no list was finished after it.
  std::optional<std::chrono::steady_clock::time_point> refused_since;
  /// Since then every list and watch has failed: the copy is as old as that, or older.
  std::optional<std::chrono::steady_clock::time_point> failing_since;
  /// Names of the objects that are too large even alone, and are not in the store. At most
  /// kMaxLeftOut of them are kept.
  std::set<std::string> left_out;
  static constexpr std::size_t kMaxLeftOut = 100;
};

struct ReflectorOptions {
  Resource resource;
  std::string namespace_;
  std::string label_selector;
  Shape shape = Shape::Object;
  int page_size = 500;
  std::size_t max_bytes = kMaxPage;  ///< of a page, and of a line of the watch
  Backoff backoff{std::chrono::milliseconds{500}, std::chrono::seconds{30}};
  std::uint64_t seed = 0;  ///< of jitter; 0: from the machine
};

/// Lists (paged; a 410 amid the pages starts over), then watches with bookmarks from there; resumes
/// a cut watch where it was; lists again on 410; backs off (0.5 s to 30 s, with jitter; Retry-After
/// is honoured) on errors. A page that is too large is asked for again with half the limit; an
/// object that is too large alone is left out and named, until a change of it can be read. A watch
/// that makes no progress is given up for a list. Says 403 and a missing CRD in `last_error` and in
/// the log, once a minute, and goes on trying.
class Reflector {
 public:
  Reflector(const Client& client, const Clock& clock, ReflectorOptions options,
            ReflectorSink& sink);
  /// Blocks until `stop`. Run it on a thread of its own.
  void Run(const std::stop_token& stop);
  [[nodiscard]] ReflectorState State() const;
  /// `failing_since` of State(), at less cost.
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> FailingSince() const;
  /// Blocks until synced or `stop`; answers whether it is synced.
  bool WaitForSync(std::stop_token stop) const;

 private:
  struct Shared;
  const Client& client_;
  const Clock& clock_;
  ReflectorOptions options_;
  ReflectorSink& sink_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace certpair::kube
