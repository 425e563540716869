// The mail of one process of the operator: what is posted in it is lost when it dies. What the mail
// server took, it took for good.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "notify/postbox.hpp"
#include "simulation/world.hpp"

namespace certpair::sim {

class Mailroom final : public notify::Postbox {
 public:
  static constexpr std::size_t kCapacity = 6;  // small, so that many are turned away

  /// `wake` is told the key of a system with news; `crash` ends the process, and this with it.
  Mailroom(World& world, std::function<void(const std::string& key)> wake,
           std::function<void()> crash)
      : world_(world), wake_(std::move(wake)), crash_(std::move(crash)) {}

  std::size_t Room(const std::string& system_key) override;
  bool Post(const std::string& system_key, core::Notice notice) override;
  std::vector<core::NoticeOutcome> Outcomes(const std::string& system_key) override;
  void Acknowledge(const std::string& system_key,
                   const std::vector<core::NoticeOutcome>& outcomes) override;
  bool IsUnderWay(const std::string& id) override { return waiting_.contains(id); }
  void Withdraw(const std::string& system_key, const std::vector<std::string>& ids) override;
  void Forget(const std::string& system_key) override;

 private:
  struct Letter {
    std::string key;
    core::Notice notice;
    int tries = 0;
  };
  void SendIn(World::Delay delay, const std::string& id);
  void Send(const std::string& id);
  void Report(const std::string& key, core::NoticeOutcome::Kind kind, const std::string& id,
              const char* words);
  void Leave(const std::string& id);

  World& world_;
  const std::function<void(const std::string&)> wake_;
  const std::function<void()> crash_;
  std::map<std::string, Letter> waiting_;  // by id
  std::map<std::string, std::vector<core::NoticeOutcome>> outcomes_;
  std::set<std::string> turned_away_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();  // timers outlive the process
};

}  // namespace certpair::sim
