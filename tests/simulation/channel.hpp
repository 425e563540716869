// One kind's watch: what is there, what the caches show, and the news on its way between the two.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace certpair::sim {

/// News arrives in order; not thread-safe.
template <class T>
class Channel {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Value = std::shared_ptr<const T>;

  [[nodiscard]] Value Live(const std::string& key) const { return Find(live_, key); }
  [[nodiscard]] Value Cached(const std::string& key) const { return Find(cached_, key); }
  [[nodiscard]] const std::unordered_map<std::string, Value>& AllLive() const { return live_; }

  /// `value` null: it is gone. The caches hear of it at `at`, or later.
  void Set(const std::string& key, Value value, Time at) {
    if (value)
      live_[key] = value;
    else
      live_.erase(key);
    if (!news_.empty()) at = std::max(at, news_.back().at);
    news_.push_back({at, key, std::move(value)});
  }

  [[nodiscard]] std::optional<Time> Next() const {
    if (news_.empty()) return std::nullopt;
    return news_.front().at;
  }
  /// Brings the next piece of news into the cache: (key, before, after).
  template <class Listener>
  void DeliverOne(const Listener& listener) {
    auto [at, key, after] = std::move(news_.front());
    news_.pop_front();
    Value before = Find(cached_, key);
    if (after)
      cached_[key] = after;
    else
      cached_.erase(key);
    if (before || after) listener(key, before, after);
  }
  /// A new process lists everything.
  void List() {
    cached_ = live_;
    news_.clear();
  }

 private:
  struct News {
    Time at;
    std::string key;
    Value value;
  };
  static Value Find(const std::unordered_map<std::string, Value>& map, const std::string& key) {
    const auto found = map.find(key);
    return found == map.end() ? nullptr : found->second;
  }

  std::unordered_map<std::string, Value> live_;
  std::unordered_map<std::string, Value> cached_;
  std::deque<News> news_;
};

}  // namespace certpair::sim
