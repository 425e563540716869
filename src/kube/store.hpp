// A typed, read-mostly copy of a kind: what a reflector feeds and workers read. Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/guarded.hpp"
#include "kube/reflector.hpp"

namespace certpair::kube {

/// `namespace/name`, or `name` of what is cluster-scoped.
[[nodiscard]] std::string KeyOf(const nlohmann::json& object);

/// Holds decoded values (small, immutable, shared) by key. `Decode` answers nothing for an object
/// to leave out. `changed(key, before, after)` is called after each change, without locks held,
/// from the reflector's thread; before or after is null where there was or is none; a re-list that
/// brings the same object again (Same(before, after)) calls nothing.
template <class T>
class Store final : public ReflectorSink {
 public:
  using Value = std::shared_ptr<const T>;
  using Decode = std::function<std::optional<T>(nlohmann::json&)>;
  using Same = std::function<bool(const T&, const T&)>;
  using Changed =
      std::function<void(const std::string& key, const Value& before, const Value& after)>;

  Store(Decode decode, Same same, Changed changed)
      : decode_(std::move(decode)), same_(std::move(same)), changed_(std::move(changed)) {}

  [[nodiscard]] Value Get(const std::string& key) const {
    auto items = items_.Lock();
    const auto found = items->find(key);
    return found == items->end() ? nullptr : found->second;
  }
  [[nodiscard]] std::size_t Size() const { return items_.Lock()->size(); }
  /// All values, in no order.
  [[nodiscard]] std::vector<Value> All() const {
    std::vector<Value> all;
    auto items = items_.Lock();
    all.reserve(items->size());
    for (const auto& [key, value] : *items) all.push_back(value);
    return all;
  }

  void BeginList() override { gathering_.clear(); }
  void ListItem(nlohmann::json& item) override {
    if (auto value = decode_(item))
      gathering_.insert_or_assign(KeyOf(item), std::make_shared<const T>(std::move(*value)));
  }
  void AbandonList() override { gathering_.clear(); }
  void FinishList() override {
    Items before = std::exchange(*items_.Lock(), gathering_);
    for (const auto& [key, value] : gathering_) {
      const auto old = before.find(key);
      if (old == before.end()) {
        changed_(key, nullptr, value);
      } else if (!same_(*old->second, *value)) {
        changed_(key, old->second, value);
      }
    }
    for (const auto& [key, value] : before)
      if (!gathering_.contains(key)) changed_(key, value, nullptr);
    gathering_ = {};
  }
  void Put(nlohmann::json& item) override {
    auto decoded = decode_(item);
    if (!decoded) return Remove(item);
    auto after = std::make_shared<const T>(std::move(*decoded));
    const std::string key = KeyOf(item);
    Value before = std::exchange((*items_.Lock())[key], after);
    changed_(key, before, after);
  }
  void Remove(nlohmann::json& item) override {
    const std::string key = KeyOf(item);
    Value before;
    {
      auto items = items_.Lock();
      if (auto node = items->extract(key); !node.empty()) before = std::move(node.mapped());
    }
    if (before) changed_(key, before, nullptr);
  }

 private:
  using Items = std::unordered_map<std::string, Value>;
  const Decode decode_;
  const Same same_;
  const Changed changed_;
  Items gathering_;  // only the reflector's thread
  Guarded<Items> items_;
};

}  // namespace certpair::kube
