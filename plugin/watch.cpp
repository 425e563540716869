#include <map>

#include <nlohmann/json.hpp>

#include "base/backoff.hpp"
#include "base/random_bits.hpp"
#include "reconcile/json.hpp"
#include "reconcile/names.hpp"
#include "system_lines.hpp"

namespace certpair::plugin {
namespace {

using actions::SystemView;
using kube::ApiErrorKind;
using nlohmann::json;

constexpr std::chrono::milliseconds kFirstPause{500};
constexpr std::chrono::seconds kLongestPause{30};

class Follower {
 public:
  Follower(const Session& session, const ListCommand& command, const Table& table,
           std::vector<SystemLine> lines, std::string version)
      : session_(session),
        request_(RequestOf(command)),
        table_(table),
        wide_(command.format == Format::Wide),
        version_(std::move(version)) {
    for (SystemLine& line : lines) {
      std::string name = line.name;
      shown_.emplace(std::move(name), std::move(line));
    }
  }

  Outcome Run() {
    while (!session_.stop.stop_requested()) {
      const auto ended = version_.empty() ? ListAnew() : Follow();
      std::chrono::milliseconds pause = kFirstPause;
      if (!ended) {
        const kube::ApiError& error = ended.error();
        if (error.kind == ApiErrorKind::Cancelled) break;
        const bool is_gone = error.kind == ApiErrorKind::Gone;
        // What may pass is waited for, and everything else ends the watch.
        if (!is_gone && !actions::MayPass(error.kind)) return std::unexpected(WhyOf(error));
        if (!is_gone && backoff_.Failures() == 0)
          session_.console.Remark(WhyOf(error).message + "\n  Trying again, until Ctrl-C.");
        if (is_gone) version_.clear();
        pause = std::max(backoff_.Next(random_bits_()), error.retry_after.value_or(pause));
      }
      if (!session_.pause(pause)) break;
    }
    return {};
  }

 private:
  [[nodiscard]] Failure WhyOf(const kube::ApiError& error) const {
    return Explain(
        session_, error,
        {version_.empty() ? "list" : "watch", reconcile::kSystems, session_.namespace_, ""});
  }

  void Show(const json& object, bool deleted) {
    const sys_seconds now = session_.clock.NowSeconds();
    const SystemView system = actions::ViewOf(object);
    const bool wanted = actions::Matches(system, request_, now);
    SystemLine line = LineOf(session_, system, wide_, now);
    const std::string name = line.name;
    // A system that no longer matches is shown once more, as it is now.
    if (!wanted && !shown_.contains(name)) return;
    if (deleted) {
      table_.PrintLine(session_.console, AsDeleted(session_, std::move(line)).row);
      shown_.erase(name);
      return;
    }
    table_.PrintLine(session_.console, line.row);
    if (!wanted)
      shown_.erase(name);
    else if (shown_.size() < kMostListed.objects || shown_.contains(name))
      shown_.insert_or_assign(name, std::move(line));
  }

  kube::ApiResult<void> Follow() {
    std::optional<kube::ApiError> told;
    auto ended = session_.client.Watch(
        reconcile::kSystems,
        {.namespace_ = session_.namespace_,
         .label_selector = request_.selector,
         .resource_version = version_},
        [&](const kube::WatchEvent& event) {
          if (event.type == kube::WatchEventType::Error) {
            const auto code = reconcile::json::Integer(reconcile::json::At(*event.object, "code"));
            told = kube::ErrorFromResponse(static_cast<int>(code), event.object->dump(), "WATCH",
                                           std::nullopt);
            return false;
          }
          backoff_.Reset();
          version_ = reconcile::json::Text(
              reconcile::json::At(*event.object, "metadata", "resourceVersion"));
          if (event.type != kube::WatchEventType::Bookmark)
            Show(*event.object, event.type == kube::WatchEventType::Deleted);
          return true;
        },
        session_.stop);
    if (told) return std::unexpected(std::move(*told));
    return ended;
  }

  // What changed in between: new and changed ones, then those that are gone.
  kube::ApiResult<void> ListAnew() {
    std::map<std::string, SystemLine> gone = shown_;
    auto listed = session_.client.ListUpTo(
        reconcile::kSystems,
        {.namespace_ = session_.namespace_, .label_selector = request_.selector}, kMostListed,
        [&](json& item) {
          const SystemView system = actions::ViewOf(item);
          const auto known = shown_.find(system.namespace_ + "/" + system.name);
          if (known != shown_.end()) gone.erase(known->first);
          if (known == shown_.end() || known->second.version != system.version) Show(item, false);
        },
        session_.stop);
    if (!listed) return std::unexpected(std::move(listed.error()));
    for (auto& [name, line] : gone) {
      table_.PrintLine(session_.console, AsDeleted(session_, std::move(line)).row);
      shown_.erase(name);
    }
    version_ = std::move(listed->resource_version);
    return {};
  }

  const Session& session_;
  const actions::ListRequest request_;
  const Table& table_;
  const bool wide_;
  std::string version_;  // to watch from; empty: list first
  std::map<std::string, SystemLine> shown_;
  Backoff backoff_{kFirstPause, kLongestPause};
  RandomBits random_bits_{0};
};

}  // namespace

Outcome WatchSystems(const Session& session, const ListCommand& command, const Table& table,
                     std::vector<SystemLine> lines, std::string version) {
  return Follower{session, command, table, std::move(lines), std::move(version)}.Run();
}

}  // namespace certpair::plugin
