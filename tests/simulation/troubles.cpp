// What befalls the whole installation.
#include "simulation/fleet.hpp"
#include "simulation/trace.hpp"

namespace certpair::sim {

using std::chrono::hours;
using std::chrono::minutes;

void Fleet::ScheduleTrouble() {
  if (settings_.weather.between_troubles.count() == 0) return;
  const auto mean = std::chrono::duration_cast<Delay>(settings_.weather.between_troubles);
  stage_.world.In(chance_.Exponential(mean), [this] {
    if (calm_) return;
    Trouble();
    ScheduleTrouble();
  });
}

void Fleet::Trouble() {
  // Mostly short; some longer than a window.
  const Delay duration =
      chance_.OneIn(6) ? chance_.Exponential(hours{24 * 20}) : chance_.Exponential(hours{3});
  switch (chance_.Below(6)) {
    case 0:
      return Downtime(duration);
    case 1:
      return Outage(chance_.Exponential(hours{2}));  // longer ones are as downtime, but slow
    case 2: {
      const auto by = chance_.UpTo(hours{24});
      return SkewClock(chance_.OneIn(2) ? by : -by, chance_.Exponential(hours{3}));
    }
    case 3:
      return BreakAuthority(duration);
    case 4:
      return WithdrawPermission(duration);
    default:
      return RotateAuthority();
  }
}

void Fleet::Downtime(Delay duration) {
  Trace(stage_.world.TrueNow(), "all", "downtime of {} s", duration.count() / 1000);
  stage_.daemon.Stop();
  witness_.ExcuseAll(duration + minutes{10});
  Restart(duration);
}

void Fleet::Outage(Delay duration) {
  if (outage_) return;
  outage_ = true;
  Trace(stage_.world.TrueNow(), "all", "outage of {} s", duration.count() / 1000);
  witness_.ExcuseAll(duration + minutes{10});
  stage_.world.In(duration, [this] {
    outage_ = false;
    witness_.LookAgainAtAll();
  });
}

void Fleet::SkewClock(Delay by, Delay duration) {
  if (skewed_) return;
  skewed_ = true;
  stage_.clock.StepWall(by);
  Trace(stage_.world.TrueNow(), "all", "the clock is {} s off for {} s", by.count() / 1000,
        duration.count() / 1000);
  witness_.ForgetBudgets();
  // What was issued by a wrong clock begins, or waits, by that clock.
  witness_.ExcuseAll(duration + hours{24} + minutes{10});
  stage_.world.In(duration, [this, by] {
    if (!skewed_) return;
    skewed_ = false;
    stage_.clock.StepWall(-by);
    witness_.ForgetBudgets();
    witness_.LookAgainAtAll();
  });
}

void Fleet::BreakAuthority(Delay duration) {
  Ca* ca = stage_.mint.Find(kAuthority);
  if (!ca->signs) return;
  ca->signs = false;
  Trace(stage_.world.TrueNow(), "all", "the authority is broken for {} s", duration.count() / 1000);
  TellAuthority();
  witness_.ExcuseAll(duration + minutes{10});
  stage_.world.In(duration, [this] {
    if (stage_.mint.Find(kAuthority)->signs) return;
    stage_.mint.Find(kAuthority)->signs = true;
    TellAuthority();
  });
}

void Fleet::WithdrawPermission(Delay duration) {
  if (!allowed_) return;
  allowed_ = false;
  Trace(stage_.world.TrueNow(), "all", "permission is withdrawn for {} s", duration.count() / 1000);
  TellAuthority();
  witness_.ExcuseAll(duration + minutes{10});
  stage_.world.In(duration, [this] {
    if (allowed_) return;
    allowed_ = true;
    TellAuthority();
  });
}

// A new CA key, as often as an authority remembers its earlier ones. Some end soon; somebody renews
// those in time, or nearly.
void Fleet::RotateAuthority() {
  if (earlier_cas_.size() == 16) return;
  const Ca old = *stage_.mint.Find(kAuthority);
  Trace(stage_.world.TrueNow(), "all", "the authority has a new key");
  earlier_cas_.insert(earlier_cas_.begin(), Mint::CaFingerprint(old.number));
  const sys_seconds now = stage_.world.TrueNow();
  const bool ends_soon = chance_.OneIn(4);
  const hours life{ends_soon ? 24 * (20 + static_cast<int>(chance_.Below(300))) : 24 * 365 * 20};
  const Ca& ca = stage_.mint.Open(kAuthority, now - hours{1}, now + life);
  stage_.mint.Find(kAuthority)->signs = old.signs;
  TellAuthority();
  witness_.ExcuseAll(minutes{10});
  if (!ends_soon) return;
  stage_.world.In(life - hours{24} + chance_.UpTo(hours{48}), [this, number = ca.number] {
    if (stage_.mint.Find(kAuthority)->number == number) RotateAuthority();
  });
}

void Fleet::TellAuthority() {
  auto authority = DescribeAuthority(kAuthority, *stage_.mint.Find(kAuthority), earlier_cas_);
  if (!allowed_) authority.allow.clear();
  stage_.world.SetAuthority(std::move(authority));
  witness_.LookAgainAtAll();
}

}  // namespace certpair::sim
