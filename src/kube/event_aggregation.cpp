#include "kube/event_aggregation.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/time_format.hpp"
#include "base/utf8.hpp"

namespace certpair::kube {
namespace {

// Limits of the API server: a name is a DNS subdomain, message and reason are cut by no one else.
constexpr std::size_t kLongestName = 253;
constexpr std::size_t kLongestMessage = 1024;
constexpr std::size_t kLongestReason = 128;

std::string KeyOfObject(const ObjectReference& object) {
  if (!object.uid.empty()) return object.uid;
  return object.kind + '/' + object.namespace_ + '/' + object.name;
}

std::size_t HashOfText(const EventNote& note) {
  std::string text{note.type == EventType::Warning ? 'W' : 'N'};
  text.append(note.reason).append(1, '\0').append(note.message);
  return std::hash<std::string>{}(text);
}

// What stands in a foreign object need not be UTF-8, and JSON must be.
std::string ValidUtf8(std::string_view text) {
  const auto quoted =
      nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return nlohmann::json::parse(quoted).get<std::string>();
}

std::string Bounded(std::string_view text, std::size_t bytes) {
  return std::string{CutUtf8(ValidUtf8(text), bytes)};
}

}  // namespace

EventAggregation::Object& EventAggregation::Remember(const ObjectReference& object,
                                                     std::chrono::system_clock::time_point now) {
  std::string key = KeyOfObject(object);
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    objects_.splice(objects_.begin(), objects_, found->second);
    return objects_.front();
  }
  if (objects_.size() >= std::max<std::size_t>(limits_.objects, 1)) {
    by_key_.erase(objects_.back().key);
    objects_.pop_back();
  }
  objects_.push_front({std::move(key), limits_.burst, now, {}});
  by_key_.emplace(objects_.front().key, objects_.begin());
  return objects_.front();
}

bool EventAggregation::Spend(Object& object, std::chrono::system_clock::time_point now) const {
  if (now > object.refilled) {
    const std::chrono::duration<double> gone = now - object.refilled;
    const std::chrono::duration<double> each = limits_.refill;
    object.tokens = std::min(limits_.burst, object.tokens + gone / each);
  }
  object.refilled = now;
  if (object.tokens < 1) return false;
  object.tokens -= 1;
  return true;
}

std::string EventAggregation::NextName(std::string_view object,
                                       std::chrono::system_clock::time_point now) {
  const auto nanoseconds =
      std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
  last_stamp_ = std::max(last_stamp_ + 1, static_cast<std::uint64_t>(std::max<std::int64_t>(
                                              static_cast<std::int64_t>(nanoseconds), 0)));
  const std::string suffix = fmt::format(".{:x}", last_stamp_);
  object = object.substr(0, kLongestName - suffix.size());
  while (!object.empty() && (object.back() == '.' || object.back() == '-')) object.remove_suffix(1);
  return std::string{object} + suffix;
}

std::optional<EventWrite> EventAggregation::Note(const EventNote& note,
                                                 std::chrono::system_clock::time_point now) {
  Object& object = Remember(note.object, now);
  const std::size_t what = HashOfText(note);
  const auto second = std::chrono::floor<seconds>(now);
  const std::string space = note.object.namespace_.empty() ? "default" : note.object.namespace_;

  std::erase_if(object.recent, [&](const Recent& recent) {
    return second - recent.last > limits_.window || recent.last - second > limits_.window;
  });
  const auto same = std::ranges::find(object.recent, what, &Recent::what);
  if (same != object.recent.end()) {
    ++same->count;
    same->last = second;
    std::rotate(same, same + 1, object.recent.end());
    if (!Spend(object, now)) return std::nullopt;
    const Recent& it = object.recent.back();
    return EventWrite{space, it.name, it.count, it.first, it.last};
  }
  if (!Spend(object, now)) return std::nullopt;
  if (object.recent.size() >= std::max<std::size_t>(limits_.recent, 1))
    object.recent.erase(object.recent.begin());
  object.recent.push_back({what, NextName(note.object.name, now), 1, second, second});
  return EventWrite{space, object.recent.back().name, 1, second, second};
}

void EventAggregation::Lost(const EventNote& note) {
  const auto found = by_key_.find(KeyOfObject(note.object));
  if (found == by_key_.end()) return;
  const std::size_t what = HashOfText(note);
  std::erase_if(found->second->recent, [&](const Recent& recent) { return recent.what == what; });
}

nlohmann::json EventObject(const EventNote& note, const EventWrite& write,
                           const std::string& component, const std::string& instance) {
  nlohmann::json involved{{"apiVersion", note.object.api_version},
                          {"kind", note.object.kind},
                          {"name", note.object.name}};
  if (!note.object.namespace_.empty()) involved["namespace"] = note.object.namespace_;
  if (!note.object.uid.empty()) involved["uid"] = note.object.uid;
  return {{"apiVersion", "v1"},
          {"kind", "Event"},
          {"metadata", {{"name", write.name}, {"namespace", write.namespace_}}},
          {"involvedObject", std::move(involved)},
          {"type", note.type == EventType::Warning ? "Warning" : "Normal"},
          {"reason", Bounded(note.reason, kLongestReason)},
          {"message", Bounded(note.message, kLongestMessage)},
          {"firstTimestamp", FormatTime(write.first)},
          {"lastTimestamp", FormatTime(write.last)},
          {"count", write.count},
          {"source", {{"component", component}}},
          {"reportingComponent", component},
          {"reportingInstance", Bounded(instance, kLongestReason)}};
}

nlohmann::json EventCountPatch(const EventWrite& write) {
  return {{"count", write.count}, {"lastTimestamp", FormatTime(write.last)}};
}

}  // namespace certpair::kube
