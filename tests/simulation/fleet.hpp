// A fleet over years: people, mistakes, faults and crashes, all from one seed.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "simulation/chance.hpp"
#include "simulation/specimens.hpp"
#include "simulation/witness.hpp"

namespace certpair::sim {

/// How rough life is.
struct Weather {
  std::chrono::days between_acts{20};       ///< of people, at one system
  std::chrono::days between_troubles{60};   ///< of the whole installation; 0: none
  std::uint64_t one_call_fails_in = 40;     ///< 0: none
  std::uint64_t one_call_crashes_in = 400;  ///< 0: none
  bool hand_edits = true;
  bool slow_keys = true;
};

struct FleetSettings {
  std::uint64_t seed = 1;
  std::size_t systems = 8;
  std::chrono::days length{3 * 365};
  Weather weather;
  bool short_lives = true;  ///< some certificates of 30 or 90 days
  seconds check_in_depth_every = std::chrono::hours{24};
};

/// Weather and fleet as the seed has them.
[[nodiscard]] FleetSettings SettingsOf(std::uint64_t seed);

struct FleetResult {
  std::string violation;  ///< empty: none
  std::uint64_t seed = 0;
  double system_years = 0;
  std::uint64_t passes = 0;
  std::uint64_t crashes = 0;
  std::uint64_t acts = 0;
  std::uint64_t writes_of_fresh_process = 0;
  seconds quiet_of_fresh_process{};  ///< for how long it was looked at
  Witness::Counts counts;
  MailWitness::Counts mail;
};

class Fleet {
 public:
  explicit Fleet(FleetSettings settings);
  FleetResult Live();

 private:
  using Delay = World::Delay;
  void Populate();
  void Begin();
  bool RunUntil(World::Time limit);
  Fault Befalls(Call call);
  MailFault BefallsMail();
  void Restart(Delay after);

  // People and mistakes, at one system.
  void ScheduleAct(const std::string& key);
  void Act(const std::string& key);
  void Operate(const std::string& key);
  void EditSpec(const std::string& key);
  void Subscribe(core::SystemSpec& spec);
  void ScheduleMailCheck(const std::string& key);
  void EditSecret(const std::string& key);
  void EditPassword(const std::string& key);
  void PutPassword(const std::string& key);
  void PutPasswordLater(const std::string& key);
  void WantKeystore(const std::string& name, core::SystemSpec& spec);
  void BreakAgainAndAgain(const std::string& key, int times);
  void DeleteByHand(const std::string& key);
  void EditStatus(const std::string& key);
  void Replace(const std::string& key);
  void Damage(SecretObject& secret);
  [[nodiscard]] static std::string PasswordKey(const std::string& key) { return key + "-password"; }
  [[nodiscard]] std::string SecretKey(const std::string& key) const { return key + "-outbound"; }
  [[nodiscard]] std::string FingerprintIn(const std::string& key, std::string_view slot) const;

  // Troubles of the whole installation.
  void ScheduleTrouble();
  void Trouble();
  void Downtime(Delay duration);
  void Outage(Delay duration);
  void SkewClock(Delay by, Delay duration);
  void BreakAuthority(Delay duration);
  void WithdrawPermission(Delay duration);
  void RotateAuthority();
  void TellAuthority();

  void Calm();
  [[nodiscard]] World::Time EndOfQuiet() const;
  void CheckFreshProcess(FleetResult& result);

  const FleetSettings settings_;
  Chance chance_;
  Stage stage_;
  Witness witness_;
  std::vector<std::string> keys_;
  std::vector<std::string> earlier_cas_;
  bool allowed_ = true;
  bool calm_ = false;
  bool outage_ = false;
  bool skewed_ = false;
  World::Time down_until_{};
  std::uint64_t acts_ = 0;
};

}  // namespace certpair::sim
