// A server of one kind whose objects have weights: its lists keep to the limit that is asked, and
// are TooLarge where they weigh more than the request takes. Thread-safe.
#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include "unit/kube/fake_transport.hpp"

namespace certpair::kube {

class SizedListServer {
 public:
  struct Thing {
    std::string name;
    std::size_t weight;
  };
  explicit SizedListServer(std::vector<Thing> things) : things_(std::move(things)) {}

  ApiResult<HttpResponse> Answer(const HttpRequest& request) {
    HttpResponse answer{200, ListOf(request).dump(), {}};
    if (answer.body.size() <= request.max_answer) return answer;
    return std::unexpected(ApiError{ApiErrorKind::TooLarge, 200, {}, "larger than that", {}});
  }
  /// From the next list on.
  void Set(std::vector<Thing> things) {
    const std::lock_guard lock{mutex_};
    things_ = std::move(things);
  }

  static nlohmann::json Object(const Thing& thing) {
    return {{"metadata",
             {{"namespace", "ns"},
              {"name", thing.name},
              {"resourceVersion", "5"},
              {"annotations", {{"weight", std::string(thing.weight, 'x')}}}}}};
  }

 private:
  nlohmann::json ListOf(const HttpRequest& request) {
    auto query = QueryOf(request.path);
    const bool names = request.accept.find("as=Table") != std::string::npos;
    const std::lock_guard lock{mutex_};
    const std::size_t from = query["continue"].empty() ? 0 : std::stoul(query["continue"]);
    const std::size_t end = std::min(things_.size(), from + std::stoul(query.at("limit")));
    nlohmann::json list{{"kind", names ? "Table" : "ThingList"},
                        {"metadata", {{"resourceVersion", "10"}}},
                        {names ? "rows" : "items", nlohmann::json::array()}};
    if (end < things_.size()) list["metadata"]["continue"] = std::to_string(end);
    for (std::size_t i = from; i < end; ++i) {
      if (names)
        list["rows"].push_back({{"cells", {things_[i].name, "5m"}}});
      else
        list["items"].push_back(Object(things_[i]));
    }
    return list;
  }
  std::mutex mutex_;
  std::vector<Thing> things_;
};

}  // namespace certpair::kube
