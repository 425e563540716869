// An API server that knows one kind, in memory: snapshots by pages, a history that is compacted,
// watches with bookmarks. While it is unquiet, it changes its objects and breaks its answers at
// every step, by a seed.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <random>
#include <string>

#include "unit/kube/fake_transport.hpp"

namespace certpair::kube {

class ListWatchServer final : public HttpTransport {
 public:
  ListWatchServer(unsigned seed, int unquiet_steps) : random_(seed), steps_left_(unquiet_steps) {}

  ApiResult<HttpResponse> Send(const HttpRequest& request, std::chrono::milliseconds,
                               std::stop_token) override {
    const std::lock_guard lock{mutex_};
    Unquiet();
    if (Fault()) return BrokenAnswer();
    const auto query = QueryOf(request.path);
    const auto limit = static_cast<std::size_t>(std::stoi(query.at("limit")));
    Snapshot snapshot{revision_, objects_};
    if (const auto token = query.find("continue"); token != query.end() && !token->second.empty()) {
      snapshot = snapshots_.at(token->second);
      if (snapshot.revision < compacted_) return StatusAnswer(410, "Expired");
    }
    return PageOf(std::move(snapshot), limit);
  }

  ApiResult<void> Stream(const HttpRequest& request, std::chrono::milliseconds, std::size_t,
                         const std::function<bool(std::string_view)>& on_line,
                         std::stop_token stop) override {
    const auto query = QueryOf(request.path);
    int at = std::stoi(query.at("resourceVersion"));
    std::unique_lock lock{mutex_};
    for (;;) {
      Unquiet();
      if (at < compacted_) return TooOld(on_line, lock);
      if (Fault()) return BrokenStream(on_line, lock);
      const std::string line = NextLine(at);
      if (line.empty()) {
        if (steps_left_ > 0) continue;
        told_everything_ = true;
        told_.notify_all();
        lock.unlock();
        WaitForStop(stop);
        return std::unexpected(Cancelled());
      }
      lock.unlock();
      if (!on_line(line)) return {};
      lock.lock();
    }
  }

  /// Blocks until a watch of the quiet server has been told all there is.
  bool WaitUntilTold(std::chrono::seconds deadline) {
    std::unique_lock lock{mutex_};
    return told_.wait_for(lock, deadline, [this] { return told_everything_; });
  }
  std::map<std::string, int> Objects() {
    const std::lock_guard lock{mutex_};
    return objects_;
  }
  int Compactions() {
    const std::lock_guard lock{mutex_};
    return compactions_;
  }

 private:
  struct Snapshot {
    int revision = 0;
    std::map<std::string, int> objects;  // name → revision of its last change
  };
  struct Change {
    int revision;
    const char* type;
    std::string name;
  };

  static nlohmann::json Object(const std::string& name, int revision) {
    return {{"apiVersion", "test/v1"},
            {"kind", "Thing"},
            {"metadata",
             {{"namespace", "ns"}, {"name", name}, {"resourceVersion", std::to_string(revision)}}}};
  }
  static std::string Line(const char* type, const nlohmann::json& object) {
    return nlohmann::json{{"type", type}, {"object", object}}.dump();
  }

  void Unquiet() {
    if (steps_left_ == 0) return;
    --steps_left_;
    for (auto changes = random_() % 3; changes > 0; --changes) ChangeSomething();
    if (random_() % 25 == 0) {
      compacted_ = revision_;
      ++compactions_;
      std::erase_if(history_, [this](const Change& c) { return c.revision <= compacted_; });
    }
  }
  void ChangeSomething() {
    const std::string name = "thing-" + std::to_string(random_() % 30);
    ++revision_;
    const auto found = objects_.find(name);
    if (found == objects_.end()) {
      objects_[name] = revision_;
      history_.push_back({revision_, "ADDED", name});
    } else if (random_() % 3 == 0) {
      objects_.erase(found);
      history_.push_back({revision_, "DELETED", name});
    } else {
      found->second = revision_;
      history_.push_back({revision_, "MODIFIED", name});
    }
  }
  bool Fault() { return steps_left_ > 0 && random_() % 6 == 0; }

  ApiResult<HttpResponse> BrokenAnswer() {
    switch (random_() % 4) {
      case 0:
        return std::unexpected(ApiError{ApiErrorKind::Transport, 0, {}, "cut", {}});
      case 1:
        return StatusAnswer(500, "InternalError");
      case 2:
        return StatusAnswer(403, "Forbidden");
      default:
        return StatusAnswer(410, "Expired");
    }
  }
  ApiResult<HttpResponse> PageOf(Snapshot snapshot, std::size_t limit) {
    nlohmann::json list{{"apiVersion", "test/v1"},
                        {"kind", "ThingList"},
                        {"metadata", {{"resourceVersion", std::to_string(snapshot.revision)}}},
                        {"items", nlohmann::json::array()}};
    while (!snapshot.objects.empty() && list["items"].size() < limit) {
      const auto first = snapshot.objects.begin();
      list["items"].push_back(Object(first->first, first->second));
      snapshot.objects.erase(first);
    }
    if (!snapshot.objects.empty()) {
      const std::string token = "token " + std::to_string(snapshots_.size()) + "/+=&";
      list["metadata"]["continue"] = token;
      snapshots_[token] = std::move(snapshot);
    }
    return Answer(200, list);
  }

  std::string NextLine(int& at) {
    for (const Change& change : history_)
      if (change.revision > at) {
        at = change.revision;
        return Line(change.type, Object(change.name, change.revision));
      }
    if (steps_left_ > 0 && random_() % 4 == 0) {
      at = revision_;
      return Line("BOOKMARK", Object("", revision_));
    }
    return {};
  }
  using Lock = std::unique_lock<std::mutex>;
  static nlohmann::json Status(int code) {
    return {{"kind", "Status"}, {"code", code}, {"message", "as the test wants it"}};
  }
  ApiResult<void> TooOld(const std::function<bool(std::string_view)>& on_line, Lock& lock) {
    const bool as_event = random_() % 2 == 0;
    lock.unlock();
    if (!as_event) return std::unexpected(ApiError{ApiErrorKind::Gone, 410, {}, "too old", {}});
    on_line(Line("ERROR", Status(410)));
    return {};
  }
  ApiResult<void> BrokenStream(const std::function<bool(std::string_view)>& on_line, Lock& lock) {
    const auto how = random_() % 4;
    lock.unlock();
    switch (how) {
      case 0:
        return {};
      case 1:
        on_line(Line("ERROR", Status(500)));
        return {};
      case 2:
        return std::unexpected(ApiError{ApiErrorKind::Timeout, 0, {}, "silence", {}});
      default:
        return std::unexpected(ApiError{ApiErrorKind::Transport, 0, {}, "cut", {}});
    }
  }

  std::mutex mutex_;
  std::condition_variable told_;
  std::mt19937 random_;
  int steps_left_;
  int revision_ = 1;
  int compacted_ = 0;
  int compactions_ = 0;
  bool told_everything_ = false;
  std::map<std::string, int> objects_;
  std::deque<Change> history_;
  std::map<std::string, Snapshot> snapshots_;
};

}  // namespace certpair::kube
