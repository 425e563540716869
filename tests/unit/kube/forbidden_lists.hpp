// An API server whose lists a test sets and forbids; its watches are quiet.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "unit/kube/fake_transport.hpp"

namespace certpair::kube {

/// Thread-safe.
class ForbiddenLists {
 public:
  explicit ForbiddenLists(FakeTransport& transport) {
    transport.send = [this](const HttpRequest& request, const std::stop_token&) {
      return AnswerTo(request.path.substr(0, request.path.find('?')));
    };
  }
  /// What a list of this path answers from now on.
  void Set(const std::string& path, nlohmann::json items) {
    const std::lock_guard lock{mutex_};
    items_[path] = std::move(items);
  }
  /// Every path that contains `part`.
  void Forbid(const std::string& part) {
    const std::lock_guard lock{mutex_};
    forbidden_.insert(part);
  }
  /// This path alone.
  void ForbidExactly(const std::string& path) {
    const std::lock_guard lock{mutex_};
    items_[path] = nullptr;
  }
  void AllowAll() {
    const std::lock_guard lock{mutex_};
    forbidden_.clear();
  }
  /// Whether paths that contain `part` were refused so often, soon.
  bool AwaitRefusals(const std::string& part, int times) {
    std::unique_lock lock{mutex_};
    return asked_.wait_for(lock, kPatience, [&] { return refused_[part] >= times; });
  }

 private:
  static constexpr std::chrono::seconds kPatience{30};
  ApiResult<HttpResponse> AnswerTo(const std::string& path) {
    const std::lock_guard lock{mutex_};
    for (const std::string& part : forbidden_) {
      if (path.find(part) == std::string::npos) continue;
      ++refused_[part];
      asked_.notify_all();
      return StatusAnswer(403, "Forbidden");
    }
    const auto found = items_.find(path);
    if (found != items_.end() && found->second.is_null()) return StatusAnswer(403, "Forbidden");
    return Answer(200,
                  {{"kind", "List"},
                   {"apiVersion", "v1"},
                   {"metadata", {{"resourceVersion", "1"}}},
                   {"items", found == items_.end() ? nlohmann::json::array() : found->second}});
  }
  std::mutex mutex_;
  std::condition_variable asked_;
  std::map<std::string, nlohmann::json> items_;
  std::set<std::string> forbidden_;
  std::map<std::string, int> refused_;
};

}  // namespace certpair::kube
