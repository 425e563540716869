// A key pool in simulated time: the real order, and threads that take as long as they are told.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>

#include "simulation/daemon.hpp"
#include "x509/key_order.hpp"

namespace certpair::sim {

/// Makes the keys of a stage from its making on. Not thread-safe.
class Workshop {
 public:
  using GroupOf = std::function<std::string(const std::string& owner)>;
  Workshop(Stage& stage, int threads, World::Delay each, GroupOf group_of)
      : stage_(stage), idle_(threads), each_(each), group_of_(std::move(group_of)) {
    stage_.mint.key_is_there = [this](const std::string& owner, const auto& order) {
      return Take(owner, order.needed_by);
    };
    stage_.mint.key_unwanted = [this](const std::string& owner) { Leave(owner); };
  }
  ~Workshop() {
    stage_.mint.key_is_there = nullptr;
    stage_.mint.key_unwanted = nullptr;
  }
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

 private:
  bool Take(const std::string& owner, std::optional<sys_seconds> needed_by) {
    const bool is_there = made_.contains(owner);
    if (is_there)
      Leave(owner);
    else
      order_.Ask(owner, group_of_(owner), needed_by);
    Begin();
    return is_there;
  }
  void Leave(const std::string& owner) {
    made_.erase(owner);
    order_.Leave(owner);
    for (const std::string& invited : order_.Invited()) stage_.daemon.Wake(invited);
  }
  void Begin() {
    while (idle_ > 0) {
      const auto owner = order_.Next();
      if (!owner) return;
      --idle_;
      stage_.world.In(each_, [this, owner = *owner] {
        ++idle_;
        if (order_.IsInside(owner)) made_.insert(owner);
        stage_.daemon.Wake(owner);
        Begin();
      });
    }
  }

  Stage& stage_;
  int idle_;
  const World::Delay each_;
  const GroupOf group_of_;
  x509::KeyOrder order_;
  std::set<std::string> made_;
};

}  // namespace certpair::sim
