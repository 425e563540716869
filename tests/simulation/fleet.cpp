// The life of a fleet from its beginning to the quiet at its end. What befalls it is in acts.cpp
// and troubles.cpp.
#include "simulation/fleet.hpp"

#include <cstdlib>
#include <iostream>

#include <fmt/format.h>

#include "base/time_format.hpp"
#include "reconcile/names.hpp"
#include "simulation/trace.hpp"

namespace certpair::sim {

using std::chrono::hours;
using std::chrono::minutes;

FleetSettings SettingsOf(std::uint64_t seed) {
  Chance chance(seed * 0x9E3779B97F4A7C15ULL);
  FleetSettings settings{.seed = seed};
  settings.systems = 1 + chance.Below(8);
  settings.length = std::chrono::days{365 * (1 + static_cast<int>(chance.Below(5)))};
  Weather& weather = settings.weather;
  weather.between_acts = std::chrono::days{3 + static_cast<int>(chance.Below(60))};
  weather.between_troubles =
      std::chrono::days{chance.OneIn(4) ? 0 : 10 + static_cast<int>(chance.Below(200))};
  weather.one_call_fails_in = chance.OneIn(4) ? 0 : 5 + chance.Below(100);
  weather.one_call_crashes_in = chance.OneIn(4) ? 0 : 20 + chance.Below(500);
  weather.hand_edits = !chance.OneIn(3);
  weather.slow_keys = chance.OneIn(2);
  const std::chrono::days depths[] = {std::chrono::days{1}, std::chrono::days{7},
                                      std::chrono::days{30}};
  settings.check_in_depth_every = chance.OneOf(depths);
  return settings;
}

Fleet::Fleet(FleetSettings settings)
    : settings_(settings),
      chance_(settings.seed),
      // Some lives begin shortly before a leap day.
      stage_(
          {.installation = {}, .check_in_depth_every = settings.check_in_depth_every, .mail = true},
          std::chrono::sys_days{std::chrono::year{2027} / 1 / 1} +
              std::chrono::days{settings.seed % 420}),
      witness_(stage_) {
  stage_.world.events_kept = 0;
  stage_.world.mails_kept = 0;
}

FleetResult Fleet::Live() {
  Begin();
  const auto length = std::chrono::duration_cast<Delay>(settings_.length);
  RunUntil(stage_.world.Now() + length);
  FleetResult result{.seed = settings_.seed};
  if (witness_.Violation().empty()) {
    Calm();
    // A status that was edited while nobody ran is found out when the Secret is read in depth.
    const seconds depth =
        settings_.weather.hand_edits ? settings_.check_in_depth_every : seconds{0};
    RunUntil(stage_.world.Now() + depth + hours{6});
    witness_.JudgeQuiet();
    CheckFreshProcess(result);
  }
  result.violation = witness_.Violation();
  result.system_years =
      static_cast<double>(keys_.size()) * static_cast<double>(settings_.length.count()) / 365.25;
  result.passes = stage_.daemon.Passes();
  result.crashes = stage_.daemon.Crashes();
  result.acts = acts_;
  result.counts = witness_.counts();
  result.mail = witness_.mail_counts();
  return result;
}

void Fleet::Begin() {
  World& world = stage_.world;
  AddAuthority(stage_);
  world.fault = [this](Call call) { return Befalls(call); };
  world.mail_fault = [this] { return BefallsMail(); };
  world.mail_delay = [this] { return chance_.UpTo(Delay{3000}); };
  world.watch_delay = [this] { return chance_.UpTo(Delay{1500}); };
  world.collector_delay = [this] { return Delay{100} + chance_.UpTo(minutes{1}); };
  if (settings_.weather.slow_keys)
    stage_.mint.key_delay = [this] { return chance_.Exponential(Delay{4000}); };
  Populate();
  stage_.daemon.Start();
  for (const std::string& key : keys_) {
    ScheduleAct(key);
    ScheduleMailCheck(key);
  }
  ScheduleTrouble();
}

void Fleet::Populate() {
  for (std::size_t i = 0; i < settings_.systems; ++i) {
    auto system = MakeSystem(fmt::format("system-{}", i));
    core::SystemSpec& spec = system.spec;
    spec.regeneration_enabled = !chance_.OneIn(4);
    if (chance_.OneIn(3)) spec.peer_matching = core::PeerMatching::Fingerprint;
    if (chance_.OneIn(6)) spec.issuance = core::Issuance::Manual;
    if (chance_.OneIn(4)) spec.at_expiry = core::AtExpiry::Hold;
    if (chance_.OneIn(3)) spec.secret.deletion_policy = core::DeletionPolicy::Retain;
    const seconds validities[] = {hours{24 * 365}, hours{24 * 365}, hours{24 * 90}, hours{24 * 30}};
    spec.validity = settings_.short_lives ? chance_.OneOf(validities) : validities[0];
    if (chance_.OneIn(3)) spec.regenerate_before = spec.validity / (2 + chance_.Below(20));
    if (chance_.OneIn(5)) spec.warn_before = {};
    for (auto more = chance_.Below(4); more > 0; --more) Subscribe(spec);
    if (chance_.OneIn(2)) WantKeystore(system.identity.name, spec);
    keys_.push_back(stage_.world.AddSystem(std::move(system)));
    witness_.SpecChanged(keys_.back());
  }
}

// Some forget the password at first.
void Fleet::WantKeystore(const std::string& name, core::SystemSpec& spec) {
  spec.secret.pkcs12 = {.name = name + "-password", .key = "password"};
  const std::string key = reconcile::ObjectKey(World::kNamespace, name);
  if (chance_.OneIn(5))
    PutPasswordLater(key);
  else
    PutPassword(key);
}

void Fleet::PutPassword(const std::string& key) {
  const std::string password_key = PasswordKey(key);
  if (!stage_.world.LiveSecretOf(password_key)) {
    SecretObject secret;
    secret.metadata.name = password_key.substr(password_key.find('/') + 1);
    stage_.world.AddSecret(std::move(secret));
  } else if (!settings_.weather.hand_edits) {
    return;  // another one in the same place is taken up within a day, and none is waited for here
  }
  stage_.world.EditSecret(password_key, [this](auto& secret) {
    secret.data["password"] = chance_.OneIn(2) ? "changeit" : "changed";
  });
}

// Somebody notices what is wrong with it.
void Fleet::PutPasswordLater(const std::string& key) {
  stage_.world.In(chance_.Exponential(hours{48}), [this, key] {
    if (!calm_) PutPassword(key);
  });
}

bool Fleet::RunUntil(World::Time limit) {
  while (witness_.Violation().empty()) {
    const auto crashes = stage_.daemon.Crashes();
    const auto passes = stage_.daemon.Passes();
    if (!stage_.Step(limit)) return true;
    if (IsTracing() && stage_.daemon.Passes() != passes) {
      const auto& result = stage_.daemon.LastResult();
      Trace(stage_.world.TrueNow(), stage_.daemon.PassedOver(), "pass: {} {} next {}",
            stage_.daemon.IsRunning() ? static_cast<int>(result.kind) : -1, result.error,
            result.wake_at ? FormatTime(*result.wake_at) : "");
    }
    if (stage_.daemon.Crashes() != crashes) Restart(chance_.Exponential(Delay{5000}));
    // Decide's promise: after a change, no other is wanted.
    if (stage_.daemon.Passes() != passes && stage_.daemon.LastResult().error_kind == "Unstable" &&
        stage_.daemon.IsRunning())
      witness_.Accuse(stage_.daemon.PassedOver(), "after a change, another was wanted");
  }
  return false;
}

Fault Fleet::Befalls(Call call) {
  if (outage_) return Fault::Unreached;
  const Weather& weather = settings_.weather;
  if (calm_) return Fault::None;
  if (weather.one_call_crashes_in != 0 && chance_.OneIn(weather.one_call_crashes_in))
    return chance_.OneIn(2) ? Fault::CrashBefore : Fault::CrashAfter;
  if (weather.one_call_fails_in == 0 || !chance_.OneIn(weather.one_call_fails_in))
    return Fault::None;
  // Somebody writes in between two calls of a pass.
  if (chance_.OneIn(3) && call != Call::Tell) {
    Act(stage_.daemon.PassedOver());
    return Fault::None;
  }
  constexpr Fault kFaults[] = {Fault::Unreached, Fault::LostAnswer, Fault::ServerError,
                               Fault::Throttled, Fault::Quota,      Fault::Conflict,
                               Fault::LostAnswer};
  return chance_.OneOf(kFaults);
}

MailFault Fleet::BefallsMail() {
  const Weather& weather = settings_.weather;
  if (calm_) return MailFault::None;
  if (weather.one_call_crashes_in != 0 && chance_.OneIn(weather.one_call_crashes_in))
    return chance_.OneIn(2) ? MailFault::CrashBefore : MailFault::CrashAfter;
  const bool fails =
      weather.one_call_fails_in != 0 && chance_.OneIn(1 + weather.one_call_fails_in / 4);
  return fails ? MailFault::Delay : MailFault::None;
}

void Fleet::ScheduleMailCheck(const std::string& key) {
  stage_.world.In(hours{24 * 10}, [this, key] {
    witness_.JudgeMail(key);
    if (!calm_) ScheduleMailCheck(key);
  });
}

void Fleet::Restart(Delay after) {
  down_until_ = std::max(down_until_, stage_.world.Now() + after);
  stage_.world.At(down_until_, [this] {
    if (!stage_.daemon.IsRunning() && stage_.world.Now() >= down_until_) stage_.daemon.Start();
  });
}

// No more trouble: what is broken by hand stays so, and what people asked for is done.
void Fleet::Calm() {
  calm_ = true;
  outage_ = false;
  if (skewed_) {
    stage_.clock.StepWall((stage_.world.TrueNow() - stage_.clock.NowSeconds()));
    skewed_ = false;
  }
  Ca* ca = stage_.mint.Find(kAuthority);
  ca->signs = true;
  allowed_ = true;
  TellAuthority();
  stage_.world.watch_delay = nullptr;
  down_until_ = stage_.world.Now();
  if (!stage_.daemon.IsRunning()) stage_.daemon.Start();
}

// Nothing is due until then, whoever runs.
World::Time Fleet::EndOfQuiet() const {
  auto end = stage_.world.Now() + minutes{10};
  for (const auto& next : {stage_.daemon.NextDue(), stage_.world.NextEvent()})
    if (next) end = std::min(end, *next - seconds{1});
  return std::max(end, stage_.world.Now());
}

// A process that remembers nothing finds nothing to do, nor by its second look.
void Fleet::CheckFreshProcess(FleetResult& result) {
  if (!witness_.Violation().empty()) return;
  // What is due at this very moment is done by whoever runs.
  RunUntil(stage_.world.Now());
  const auto begin = stage_.world.Now();
  const auto end = EndOfQuiet();
  stage_.world.ResetCounts();
  stage_.daemon.Start();
  RunUntil(end);
  result.quiet_of_fresh_process = std::chrono::floor<seconds>(end - begin);
  result.writes_of_fresh_process = static_cast<std::uint64_t>(stage_.world.Writes());
  if (stage_.world.Writes() != 0)
    witness_.Accuse("fleet", fmt::format("a fresh process made {} writes in a settled world",
                                         stage_.world.Writes()));
}

}  // namespace certpair::sim
