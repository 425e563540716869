// Fleets over years, seed after seed. A seed that fails is printed, and replays alone:
//   CERTPAIR_SIM_SEED=N simulation --gtest_filter=Simulation.*
// CERTPAIR_SIM_SEED=N-M lives those seeds, from N to M.
// CERTPAIR_SIM_LONG=1 lives a million system-years, a fifth of them rough; CI=true a minute.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <limits>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/guarded.hpp"
#include "base/log.hpp"
#include "simulation/fleet.hpp"

namespace certpair::sim {
namespace {

// What the operator logs of a thousand lives helps nobody.
class QuietLog : public testing::Environment {
 public:
  void SetUp() override { log::Configure(log::Level::Error, log::Format::Text); }
};
const auto* const kQuietLog = testing::AddGlobalTestEnvironment(new QuietLog);

struct Seeds {
  std::uint64_t first = 1;
  std::uint64_t last = std::numeric_limits<std::uint64_t>::max();
};

// `N`, or `N-M`.
std::optional<Seeds> SeedsToReplay() {
  const char* text = std::getenv("CERTPAIR_SIM_SEED");
  if (text == nullptr) return std::nullopt;
  char* end = nullptr;
  const std::uint64_t first = std::strtoull(text, &end, 10);
  return Seeds{first, *end == '-' ? std::strtoull(end + 1, nullptr, 10) : first};
}

bool IsLong() { return std::getenv("CERTPAIR_SIM_LONG") != nullptr; }

// Where a change is judged, a minute in all; the sanitizers are slow enough without.
bool IsJudging() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return false;
#else
  const char* ci = std::getenv("CI");
  return ci != nullptr && std::string_view{ci} == "true";
#endif
}

std::string Replay(std::uint64_t seed) {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  return fmt::format("seed={}: replay with CERTPAIR_SIM_SEED={} simulation --gtest_filter={}.{}",
                     seed, seed, test->test_suite_name(), test->name());
}

double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// What many lives came to, lived on all cores.
struct Total {
  std::string violation;
  std::uint64_t seed_of_violation = 0;
  double system_years = 0;
  double seconds = 0, cpu_seconds = 0;
  std::chrono::seconds quiet_of_fresh_processes{};
  std::uint64_t lives = 0, passes = 0, crashes = 0, acts = 0;
  Witness::Counts counts;
  MailWitness::Counts mail;

  void Add(const FleetResult& r) {
    if (!r.violation.empty() && (violation.empty() || r.seed < seed_of_violation)) {
      violation = r.violation;
      seed_of_violation = r.seed;
    }
    ++lives;
    system_years += r.system_years;
    passes += r.passes;
    crashes += r.crashes;
    acts += r.acts;
    counts.operator_writes += r.counts.operator_writes;
    counts.effects += r.counts.effects;
    counts.automatic += r.counts.automatic;
    counts.deadlines_met += r.counts.deadlines_met;
    counts.policies_judged += r.counts.policies_judged;
    counts.swaps_judged += r.counts.swaps_judged;
    counts.rollbacks_judged += r.counts.rollbacks_judged;
    quiet_of_fresh_processes += r.quiet_of_fresh_process;
    counts.keystores_judged += r.counts.keystores_judged;
    mail.mails += r.mail.mails;
    mail.repeated += r.mail.repeated;
    mail.judged += r.mail.judged;
  }
  [[nodiscard]] double SpeedOfCpu() const { return system_years / cpu_seconds; }
  void Report() const {
    std::cout << fmt::format(
        "{} lives, {:.0f} system-years in {:.1f} s ({:.0f} a second; {:.0f} a second of CPU): {} "
        "passes, {} crashes, {} acts of people, {} Secrets written, {} operations, {} automatic "
        "issuances; {} policies judged ({} activations, {} regenerations after a rollback), {} key "
        "stores judged, {} deadlines met, {} minutes of quiet; {} mails, {} of them repeated by a "
        "crash or a wiped ledger, {} readers asked whether they had theirs\n",
        lives, system_years, seconds, system_years / seconds, SpeedOfCpu(), passes, crashes, acts,
        counts.operator_writes, counts.effects, counts.automatic, counts.policies_judged,
        counts.swaps_judged, counts.rollbacks_judged, counts.keystores_judged, counts.deadlines_met,
        std::chrono::floor<std::chrono::minutes>(quiet_of_fresh_processes).count(), mail.mails,
        mail.repeated, mail.judged);
    testing::Test::RecordProperty("system_years_per_second",
                                  static_cast<int>(system_years / seconds));
    testing::Test::RecordProperty("system_years_per_cpu_second", static_cast<int>(SpeedOfCpu()));
  }
};

struct Limit {
  double system_years;
  double seconds;
  std::uint64_t least_lives = 6;  // on a slow machine too
};

// Seed after seed until `limit`, or until a rule is broken.
Total LiveAll(FleetSettings (*settings_of)(std::uint64_t), Limit limit, Seeds seeds = {}) {
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  const double cpu_before = CpuSeconds();
  Guarded<Total> total;
  std::atomic<std::uint64_t> next_seed = seeds.first;
  std::atomic<bool> enough = false;
  const auto live = [&] {
    while (!enough) {
      const std::uint64_t seed = next_seed++;
      if (seed > seeds.last) return;
      if (seed > limit.least_lives && elapsed() >= limit.seconds) return;
      const FleetResult result = Fleet(settings_of(seed)).Live();
      auto sum = total.Lock();
      sum->Add(result);
      if (!sum->violation.empty() || sum->system_years >= limit.system_years) enough = true;
    }
  };
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i)
      threads.emplace_back(live);
  }
  Total sum = *total.Lock();
  sum.seconds = elapsed();
  sum.cpu_seconds = CpuSeconds() - cpu_before;
  return sum;
}

constexpr double kNoEnd = 1e18;

// The seeds that are asked for, and all of them.
Total LiveAgain(FleetSettings (*settings_of)(std::uint64_t), Seeds seeds) {
  return LiveAll(settings_of, {kNoEnd, kNoEnd}, seeds);
}

// Rough lives: everything that can happen, does.
TEST(Simulation, Every_life_of_a_fleet_keeps_the_rules) {
  if (const auto seeds = SeedsToReplay()) {
    const Total again = LiveAgain(SettingsOf, *seeds);
    ASSERT_EQ(again.violation, "") << Replay(again.seed_of_violation);
    return again.Report();
  }
  const Total total =
      LiveAll(SettingsOf, IsLong() ? Limit{2e5, kNoEnd} : Limit{kNoEnd, IsJudging() ? 45.0 : 8.0});
  ASSERT_EQ(total.violation, "") << Replay(total.seed_of_violation);
  total.Report();
  // The judge had something to judge.
  EXPECT_GT(total.crashes, 10U);
  EXPECT_GT(total.counts.effects, 20U);
  EXPECT_GT(total.counts.automatic, 20U);
  EXPECT_GT(total.counts.policies_judged, 20U);
  EXPECT_GT(total.counts.swaps_judged, 0U);
  EXPECT_GT(total.quiet_of_fresh_processes.count(), 0);
  EXPECT_GT(total.counts.deadlines_met, 20U);
  EXPECT_GT(total.counts.keystores_judged, 20U);
  EXPECT_GT(total.mail.mails, 20U);
  EXPECT_GT(total.mail.repeated, 0U);
  EXPECT_GT(total.mail.judged, 20U);
}

// Ordinary years, as most systems have them: certificates of a year, a mistake now and then.
FleetSettings OrdinarySettings(std::uint64_t seed) {
  FleetSettings settings{.seed = seed, .systems = 20, .length = std::chrono::days{10 * 365}};
  settings.weather = {.between_acts = std::chrono::days{365},
                      .between_troubles = std::chrono::days{365},
                      .one_call_fails_in = 100,
                      .one_call_crashes_in = 2000,
                      .hand_edits = false,
                      .slow_keys = false};
  settings.short_lives = false;
  settings.check_in_depth_every = std::chrono::days{365};
  return settings;
}

// The measure of speed.
TEST(Simulation, Ordinary_years_pass_quickly) {
  if (const auto seeds = SeedsToReplay()) {
    const Total again = LiveAgain(OrdinarySettings, *seeds);
    ASSERT_EQ(again.violation, "") << Replay(again.seed_of_violation);
    return again.Report();
  }
  const Total total = LiveAll(
      OrdinarySettings, IsLong() ? Limit{8e5, kNoEnd} : Limit{kNoEnd, IsJudging() ? 15.0 : 4.0});
  ASSERT_EQ(total.violation, "") << Replay(total.seed_of_violation);
  total.Report();
  EXPECT_GT(total.counts.deadlines_met, 20U);
#ifdef NDEBUG
  // Of the CPU, since others may be at work on the machine. Without them it is several times that.
  EXPECT_GT(total.SpeedOfCpu(), 1000) << "system-years for each second of CPU";
#endif
}

}  // namespace
}  // namespace certpair::sim
