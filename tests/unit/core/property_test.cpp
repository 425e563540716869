// Seeded: whatever is observed, Decide answers, settles, and keeps the invariants. A failure prints
// its seed; CERTPAIR_SEED replays one, CERTPAIR_SEEDS
// tries so many.
#include <cstdlib>
#include <random>

#include <gtest/gtest.h>

#include "base/time_format.hpp"
#include "core/ledger.hpp"
#include "unit/core/builders.hpp"

namespace certpair::core::testing {
namespace {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  std::int64_t Below(std::int64_t limit) {
    return static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(limit));
  }
  bool OneIn(std::int64_t n) { return Below(n) == 0; }
  template <class T>
  const T& Pick(const std::vector<T>& from) {
    return from[static_cast<std::size_t>(Below(static_cast<std::int64_t>(from.size())))];
  }

 private:
  std::mt19937_64 engine_;
};

std::vector<std::uint64_t> Seeds(std::uint64_t count) {
  if (const char* chosen = std::getenv("CERTPAIR_SEED"))
    return {std::strtoull(chosen, nullptr, 10)};
  std::vector<std::uint64_t> seeds(count);
  for (std::uint64_t n = 0; n < count; ++n) seeds[n] = n + 1;
  return seeds;
}

const std::vector<seconds> kValidities{minutes{2}, minutes{10}, hours{3}, days{30}, days{365}};

SystemSpec RandomSpec(Dice& dice, SystemSpec spec) {
  spec.validity = dice.Pick(kValidities);
  spec.peer_matching = dice.OneIn(2) ? PeerMatching::Fingerprint : PeerMatching::SubjectAndIssuer;
  spec.issuance = dice.OneIn(4) ? Issuance::Manual : Issuance::Automatic;
  spec.at_expiry = dice.OneIn(3) ? AtExpiry::Hold : AtExpiry::Activate;
  spec.regeneration_enabled = !dice.OneIn(3);
  spec.regenerate_before.reset();
  if (dice.OneIn(2)) spec.regenerate_before = seconds{1 + dice.Below(spec.validity.count() - 1)};
  spec.warn_before.clear();
  for (auto n = dice.Below(4); n > 0; --n) {
    spec.warn_before.push_back(seconds{1 + dice.Below(2 * spec.validity.count())});
  }
  return spec;
}

Certificate RandomCertificate(Dice& dice, int n, const Observation& o) {
  const seconds life = dice.OneIn(4) ? dice.Pick(kValidities) : o.spec.validity;
  // Anywhere from long expired to not begun.
  const seconds age{dice.Below(3 * life.count()) - life.count() / 4};
  Certificate certificate = Made(n, o.now - age, life);
  if (dice.OneIn(10)) certificate.not_before = certificate.not_after;
  if (dice.OneIn(5)) certificate.issuer_fingerprint = Fingerprint(77);
  return certificate;
}

SecretState RandomSecret(Dice& dice, const Observation& o) {
  const auto one = [&](int n) { return RandomCertificate(dice, n, o); };
  const auto maybe = [&](int n) { return dice.OneIn(2) ? std::optional(one(n)) : std::nullopt; };
  switch (dice.Below(9)) {
    case 0:
      return Missing{};
    case 1:
      return NotOurs{"somebody", dice.OneIn(2)};
    case 2:
      return dice.OneIn(2) ? Retained{CertificatePair{one(1), maybe(2)}, ""}
                           : Retained{std::nullopt, "another DN"};
    case 3:
      return dice.OneIn(2) ? Immutable{CertificatePair{one(1), maybe(2)}} : Immutable{};
    case 4:
      return Damaged{maybe(1), maybe(2), "junk"};
    default:
      return CertificatePair{one(1), maybe(2)};
  }
}

std::optional<Certificate> ActiveOf(const SecretState& state) {
  if (const auto* damaged = std::get_if<Damaged>(&state)) return damaged->intact_active;
  const auto pair = PairOf(state);
  return pair ? std::optional(pair->active) : std::nullopt;
}

Operation RandomOperation(Dice& dice, int n, sys_seconds now) {
  Operation op = Op(static_cast<OperationAction>(dice.Below(3)), n, 0, now);
  if (op.action != OperationAction::Generate) {
    op.fingerprint = Fingerprint(static_cast<int>(1 + dice.Below(3)));
  }
  op.name_was_generated = dice.OneIn(2);
  op.ttl_after_finished = hours{24};
  op.being_deleted = dice.OneIn(20);
  if (dice.OneIn(4)) {
    op.finished = true;
    op.completed_at = now - seconds{dice.Below(200'000)};
  }
  if (dice.OneIn(4)) op.mark = FinishedMark{"u", dice.OneIn(2), dice.OneIn(2)};
  op.restored = dice.OneIn(10);
  return op;
}

void AddMail(Dice& dice, Observation& o) {
  o.installation.mail_configured = !dice.OneIn(4);
  o.mail.room = static_cast<std::size_t>(dice.Below(4));
  o.renewed = Fingerprint(static_cast<int>(1 + dice.Below(2)));
  for (auto n = dice.Below(4); n > 0; --n) {
    o.spec.subscribers.push_back({"reader", fmt::format("reader-{}@example.com", dice.Below(5))});
  }
}

// What became of mails that are due, or of none.
void AddOutcomes(Dice& dice, Observation& o) {
  for (const std::string& id : DueNotices(o.status.ledger)) {
    if (dice.OneIn(2)) o.mail.under_way.push_back(id);
    if (!dice.OneIn(3)) continue;
    o.mail.outcomes.push_back(
        {static_cast<NoticeOutcome::Kind>(dice.Below(5)), id, "the server spoke", o.now});
  }
}

// R11: nothing is posted that the ledger does not hold as due, nor more than there is room for.
void ExpectHonestMail(const Observation& o, const Decision& decision) {
  const auto due = DueNotices(decision.status.ledger);
  ASSERT_LE(decision.notices.size(), o.mail.room);
  for (const Notice& notice : decision.notices) {
    ASSERT_NE(std::ranges::find(due, notice.id), due.end()) << notice.threshold;
    ASSERT_EQ(std::ranges::find(o.mail.under_way, notice.id), o.mail.under_way.end());
  }
  for (const Condition& condition : decision.status.conditions) {
    ASSERT_EQ(condition.message.find('@'), std::string::npos) << condition.message;
  }
}

// R13: wanted or not, there or not, of whatever certificate, with whatever known of its password.
void AddKeystore(Dice& dice, Observation& o) {
  const std::vector<PasswordReference> references{
      {"p", "password"}, {"q", "password"}, {o.spec.secret.name, "password"}};
  const std::vector<std::string> versions{"7", "8"};
  if (!dice.OneIn(3)) o.spec.secret.pkcs12 = dice.Pick(references);
  if (!std::holds_alternative<Missing>(o.secret) && dice.OneIn(2)) {
    o.keystore = Keystore{Fingerprint(static_cast<int>(1 + dice.Below(3))), dice.Pick(references),
                          dice.Pick(versions)};
    o.keystore_damaged = dice.OneIn(4);
  }
  o.password = {static_cast<PasswordView::State>(dice.Below(4)), dice.Pick(versions),
                "the password is missing"};
}

// R13: a key store is of the pair, or there is none; one that can be made is of the active one.
void ExpectHonestKeystore(const Observation& o) {
  if (!o.keystore || PairOf(o.secret) == std::nullopt || o.identity.being_deleted ||
      o.identity.namespace_terminating || std::holds_alternative<Immutable>(o.secret))
    return;
  const auto pair = PairOf(o.secret);
  if (std::holds_alternative<Retained>(o.secret)) return;  // it did not fit
  ASSERT_TRUE(o.spec.secret.pkcs12);
  const std::string& of = o.keystore->fingerprint;
  ASSERT_TRUE(of == pair->active.fingerprint ||
              (pair->inactive && of == pair->inactive->fingerprint));
  if (o.password.state != PasswordView::State::There ||
      o.spec.secret.pkcs12->name == o.spec.secret.name)
    return;
  ASSERT_EQ(of, pair->active.fingerprint);
  ASSERT_EQ(o.keystore->password_version, o.password.version);
}

Observation RandomObservation(Dice& dice) {
  Observation o = Fresh();
  o.spec = RandomSpec(dice, o.spec);
  o.installation.regeneration_supported = !dice.OneIn(10);
  o.identity.being_deleted = dice.OneIn(20);
  o.identity.namespace_terminating = dice.OneIn(30);
  if (dice.OneIn(6)) o.authority.chain_end = o.now + seconds{dice.Below(60'000'000) - 1000};
  if (dice.OneIn(10)) o.authority.state = AuthorityView::State::NotReady;
  if (dice.OneIn(10)) o.authority.allow.clear();
  o.secret = RandomSecret(dice, o);
  o.secret_metadata_differs = dice.OneIn(5);
  o.secret_owner_differs = dice.OneIn(5);
  if (dice.OneIn(3)) {
    o.owner_refusal = "you may not";
    o.owner_refused_at = o.now - seconds{dice.Below(7200)};
  }
  if (dice.OneIn(4)) {
    o.changed_metadata = "label a/b";
    o.metadata_changed_at = o.now - seconds{dice.Below(7200)};
  }
  AddKeystore(dice, o);
  if (dice.OneIn(8)) o.write_failure = "quota";
  if (dice.OneIn(2)) o.write_fails_since = o.now - seconds{dice.Below(1200)};
  for (auto n = dice.Below(9); n > 0; --n) {
    o.budget.automatic.push_back(o.now - seconds{dice.Below(40'000'000) - 1'000'000});
  }
  for (int n = 0; n < dice.Below(4); ++n) o.operations.push_back(RandomOperation(dice, n, o.now));
  if (dice.OneIn(2)) {
    o.receipt =
        Receipt{fmt::format("op-{}", dice.Below(6)), static_cast<OperationAction>(dice.Below(3)),
                Fingerprint(static_cast<int>(1 + dice.Below(2))),
                dice.OneIn(2) ? Fingerprint(2) : std::string()};
  }
  AddMail(dice, o);
  if (dice.OneIn(2)) {
    Observation other = o;
    other.secret = RandomSecret(dice, o);
    o.status = Decide(other).status;  // of some other time
    AddOutcomes(dice, o);
  }
  return o;
}

void ExpectProgress(const Observation& o, const Decision& decision) {
  if (!decision.change && decision.verdicts.empty()) {
    ASSERT_GT(decision.wake_at, o.now);
  }
  ASSERT_GE(decision.wake_at, o.now);
}

TEST(Property, Any_observation_is_answered_and_settles_after_one_change) {
  for (const std::uint64_t seed : Seeds(4'000)) {
    Dice dice(seed);
    Observation o = RandomObservation(dice);
    SCOPED_TRACE(fmt::format("seed {}", seed));
    const Decision first = Decide(o);
    ExpectProgress(o, first);
    ExpectHonestMail(o, first);
    ASSERT_TRUE(!first.change || IsConsistent(first.change->slots));
    if (o.identity.being_deleted || o.identity.namespace_terminating) {
      ASSERT_FALSE(first.change);
      ASSERT_EQ(first.status, o.status);
    }
    Signer signer;
    Pass pass = RunPass(o, signer);
    ASSERT_FALSE(pass.last.change)
        << NameOf(pass.first.change) << ", then " << NameOf(pass.last.change);
    o.write_failure.clear();
    o.mail.outcomes.clear();
    // Until all operations are settled; then nothing more, in the same second.
    int passes = 0;
    while (std::ranges::any_of(o.operations,
                               [](const auto& op) { return !op.finished && !op.being_deleted; }) &&
           ++passes < 20) {
      pass = RunPass(o, signer);
      ASSERT_FALSE(pass.last.change);
      o.now += seconds{1};
    }
    for (int settle = 0; settle < 2; ++settle) pass = RunPass(o, signer);
    pass = RunPass(o, signer);
    ASSERT_FALSE(pass.first.change) << NameOf(pass.first.change);
    ASSERT_TRUE(pass.last.events.empty()) << pass.last.events[0].message;
    ExpectProgress(o, pass.last);
    ExpectHonestKeystore(o);
  }
}

// A life of years: the operator sleeps until wake_at, unless the world does something before it.
class Life {
 public:
  explicit Life(std::uint64_t seed) : dice_(seed) {
    o_ = Fresh();
    o_.spec = RandomSpec(dice_, o_.spec);
    o_.spec.issuance = Issuance::Automatic;
    o_.authority.chain_end = o_.now + days{365'000};
    begin_ = o_.now;
  }

  void Run() {
    const sys_seconds end = begin_ + o_.spec.validity * 12;
    sys_seconds world = begin_;
    while (o_.now < end && !::testing::Test::HasFatalFailure()) {
      Step();
      if (::testing::Test::HasFatalFailure()) return;
      const sys_seconds wake = std::max(next_look_, o_.now);
      if (world <= wake) {
        o_.now = std::max(o_.now, world);
        Disturb();
        world = o_.now + seconds{1 + dice_.Below(o_.spec.validity.count())};
      } else {
        o_.now = std::min(wake, end);
      }
    }
    // Per validity: the window, lead, thresholds, both ends, the disturbances and their echoes.
    EXPECT_LT(passes_, 12 * 40 + 16 * disturbances_);
  }

 private:
  void Step() {
    // A budget that is used up is looked at every hour, however long that lasts.
    if (!o_.status.Find("AutomaticRegeneration") ||
        o_.status.Find("AutomaticRegeneration")->reason != reason::kIssuanceBudgetExceeded) {
      ++passes_;
    }
    const auto before = ActiveOf(o_.secret);
    const bool missing = std::holds_alternative<Missing>(o_.secret);
    const int issued = signer_.Issued();
    const std::size_t asked =
        static_cast<std::size_t>(std::ranges::count(o_.operations, false, &Operation::finished));
    const Pass pass = RunPass(o_, signer_);
    ASSERT_FALSE(pass.last.change)
        << NameOf(pass.first.change) << ", then " << NameOf(pass.last.change);
    next_look_ = pass.last.wake_at;
    ExpectProgress(o_, pass.last);
    if (!pass.first.change) return;
    CheckPair();
    const bool automatic = !pass.first.change->receipt;
    if (automatic && signer_.Issued() > issued) {
      CheckBudget();
      // R7, and R1 for what was missing.
      ASSERT_TRUE(o_.spec.regeneration_enabled || missing);
    }
    if (!automatic) {
      ASSERT_GT(asked, 0U);
    }
    if (pass.first.change->slots.kind == ChangeKind::Regenerate) {
      CheckRegeneration(*before, pass);
    }
  }

  // R5.
  void CheckPair() {
    const auto pair = PairOf(o_.secret);
    ASSERT_TRUE(pair);
    if (pair->inactive) {
      ASSERT_NE(pair->active, *pair->inactive);
    }
  }
  // R6: never before the window, and the old active one is the inactive one.
  void CheckRegeneration(const Certificate& before, const Pass& pass) {
    const auto after = PairOf(o_.secret);
    ASSERT_EQ(pass.first.change->slots.inactive, From::Other);
    ASSERT_EQ(after->inactive, before);
    ASSERT_GE(o_.now, RegenerationWindow(o_.identity.uid, o_.spec, before).starts);
    ASSERT_GE(after->active.not_after, before.not_after + o_.spec.validity / 10);
  }
  // R27, told from what was made and not from the annotation.
  void CheckBudget() {
    automatic_.push_back(o_.now);
    const auto active = ActiveOf(o_.secret);
    const seconds before = EffectiveBefore(o_.spec, &*active);
    const auto recent = std::ranges::count_if(
        automatic_, [&](sys_seconds at) { return at > o_.now - before && at <= o_.now; });
    if (!clock_moved_) {
      ASSERT_LE(recent, 6) << FormatDuration(before);
    }
  }

  void Disturb() {
    ++disturbances_;
    switch (dice_.Below(12)) {
      case 0:
        o_.spec.regeneration_enabled = !o_.spec.regeneration_enabled;
        break;
      case 1:
        o_.spec.peer_matching =
            dice_.OneIn(2) ? PeerMatching::Fingerprint : PeerMatching::SubjectAndIssuer;
        break;
      case 2:
        o_.now += seconds{dice_.Below(2 * o_.spec.validity.count())};  // downtime
        break;
      case 3: {
        const seconds back{dice_.Below(o_.spec.validity.count())};
        if (dice_.OneIn(6) && o_.now - back > begin_) {
          o_.now -= back;
          clock_moved_ = true;
        }
        break;
      }
      case 4:
        o_.status = SystemStatus{};
        break;
      case 5:
        if (dice_.OneIn(4)) {
          o_.secret = Missing{};
          o_.budget = Budget{};
          o_.receipt.reset();
          // With the Secret went its memory; the status has it still, but where that was wiped.
          if (o_.status.automatic_issuances.empty()) automatic_.clear();
        }
        break;
      case 6:
        if (auto pair = PairOf(o_.secret); pair && dice_.OneIn(3)) {
          o_.secret = Damaged{dice_.OneIn(2) ? std::optional(pair->active) : std::nullopt,
                              pair->inactive, "junk"};
        }
        break;
      default:
        Ask();
    }
  }
  void Ask() {
    const auto pair = PairOf(o_.secret);
    Operation op = Op(static_cast<OperationAction>(dice_.Below(3)), ++asked_, 0, o_.now);
    op.ttl_after_finished = hours{1};
    op.name_was_generated = true;
    if (op.action != OperationAction::Generate) {
      op.fingerprint = Fingerprint(3);
      if (pair) op.fingerprint = pair->active.fingerprint;
      if (pair && pair->inactive && !dice_.OneIn(3)) op.fingerprint = pair->inactive->fingerprint;
    }
    o_.operations.push_back(op);
  }

  Dice dice_;
  Observation o_;
  Signer signer_;
  sys_seconds begin_;
  sys_seconds next_look_;
  std::vector<sys_seconds> automatic_;
  bool clock_moved_ = false;
  int passes_ = 0;
  int disturbances_ = 0;
  int asked_ = 0;
};

TEST(Property, A_system_of_many_lives_keeps_the_invariants) {
  for (const std::uint64_t seed : Seeds(400)) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Life(seed).Run();
    if (HasFailure()) return;
  }
}

// R6 and R8 without disturbance: one certificate a period, none of them ever expired.
TEST(Property, With_ON_no_certificate_expires_in_an_undisturbed_life) {
  for (const std::uint64_t seed : Seeds(60)) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Dice dice(seed);
    Observation o = Fresh();
    o.spec = RandomSpec(dice, o.spec);
    o.spec.issuance = Issuance::Automatic;
    o.spec.regeneration_enabled = true;
    o.spec.at_expiry = AtExpiry::Activate;
    o.authority.chain_end = o.now + days{365'000};
    // Closer to the validity the budget of six within a window would be in the way.
    const seconds most = o.spec.validity * 4 / 5;
    if (o.spec.regenerate_before)
      o.spec.regenerate_before = std::min(*o.spec.regenerate_before, most);
    o.identity.uid = fmt::format("uid-{}", seed);
    Signer signer;
    int passes = 0;
    const sys_seconds end = o.now + o.spec.validity * 20;
    while (o.now < end) {
      const Pass pass = RunPass(o, signer);
      ASSERT_EQ(Says(o.status, "Ready"), "True/Valid") << FormatTime(o.now);
      ASSERT_GT(pass.last.wake_at, o.now);
      o.now = pass.last.wake_at;
      ++passes;
    }
    EXPECT_LT(passes, 20 * 60);
    EXPECT_GE(signer.Issued(), 19);
  }
}

}  // namespace
}  // namespace certpair::core::testing
