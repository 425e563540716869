// Which Events are worth a write, and which write: the pure part of the recorder. Private to
// src/kube.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/clock.hpp"
#include "kube/events.hpp"

namespace certpair::kube {

/// Something that happened to an object.
struct EventNote {
  ObjectReference object;
  EventType type = EventType::Normal;
  std::string reason;
  std::string message;
};

/// The write that a note asks for: a new Event, or a higher count on one that is there.
struct EventWrite {
  std::string namespace_;
  std::string name;
  std::uint64_t count = 1;  ///< 1: create it
  sys_seconds first;
  sys_seconds last;
};

struct EventLimits {
  seconds window{600};         ///< the same said again within it is counted up
  double burst = 25;           ///< writes at once for one object
  seconds refill{300};         ///< then one more for each of these
  std::size_t objects = 4096;  ///< remembered, the least recently noted forgotten first
  std::size_t recent = 16;     ///< Events remembered of each
};

/// Counts and limits by object, in bounded memory. Not thread-safe.
class EventAggregation {
 public:
  explicit EventAggregation(EventLimits limits = {}) : limits_(limits) {}
  ~EventAggregation() = default;
  EventAggregation(const EventAggregation&) = delete;
  EventAggregation& operator=(const EventAggregation&) = delete;

  /// Nothing: over the object's rate (a repetition is remembered, and its count comes with the next
  /// write). `now` may go back: no window or budget grows by that.
  [[nodiscard]] std::optional<EventWrite> Note(const EventNote& note,
                                               std::chrono::system_clock::time_point now);
  /// The Event is not on the server (refused, or expired there): the next of its kind is a new one.
  void Lost(const EventNote& note);
  [[nodiscard]] std::size_t Objects() const { return objects_.size(); }

 private:
  struct Recent {
    std::size_t what;  // hash of type, reason and message: the texts themselves would be megabytes
    std::string name;
    std::uint64_t count;
    sys_seconds first;
    sys_seconds last;
  };
  struct Object {
    std::string key;
    double tokens;
    std::chrono::system_clock::time_point refilled;
    std::vector<Recent> recent;  // newest last
  };
  using ByUse = std::list<Object>;  // most recently noted first
  Object& Remember(const ObjectReference& object, std::chrono::system_clock::time_point now);
  bool Spend(Object& object, std::chrono::system_clock::time_point now) const;
  std::string NextName(std::string_view object, std::chrono::system_clock::time_point now);

  const EventLimits limits_;
  ByUse objects_;
  std::unordered_map<std::string_view, ByUse::iterator> by_key_;
  std::uint64_t last_stamp_ = 0;
};

/// The core/v1 Event to create.
[[nodiscard]] nlohmann::json EventObject(const EventNote& note, const EventWrite& write,
                                         const std::string& component, const std::string& instance);
/// The merge patch that counts it up.
[[nodiscard]] nlohmann::json EventCountPatch(const EventWrite& write);

}  // namespace certpair::kube
