#include "notify/mail_queue.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/time_format.hpp"

namespace certpair::notify {
namespace {

using core::NoticeKind;
using core::NoticeOutcome;

constexpr int kFreshBeforeAnother = 10;  // so that neither first nor further tries starve
constexpr std::size_t kMostOutcomesAtOnce = 300;
constexpr std::size_t kMostSystems = 100'000;
constexpr std::chrono::minutes kSweepInterval{1};
// A system whose ledger cannot be written slows the others down no longer than this.
constexpr std::chrono::seconds kUnsettledLife{30};
constexpr std::chrono::seconds kWakeIsHeld{1};
// Nobody asks: the system is gone, or led elsewhere. By the steady clock: where the wall clock is
// set forward, or a status cannot be written for days, the mail would go out again.
constexpr std::chrono::hours kOutcomeLife{24};

// After the certificate's end a warning of it is no help.
bool EndsWithCertificate(const core::Notice& notice, sys_seconds now) {
  const bool warns = notice.kind == NoticeKind::Expiring || notice.kind == NoticeKind::Failing ||
                     notice.kind == NoticeKind::Held;
  return warns && notice.active.not_after > now;
}

// Only of these two is the certificate attached.
void DropWhatIsNotSent(core::Notice& notice) {
  if (notice.kind != NoticeKind::Renewed) notice.active.pem = {};
  if (notice.kind != NoticeKind::Held && notice.inactive) notice.inactive->pem = {};
}

}  // namespace

MailQueue::MailQueue(const QueueSettings& settings, std::uint64_t seed)
    : settings_(settings),
      random_(seed),
      away_backoff_(settings.first_probe, settings.last_probe),
      earliest_(Steady::min()) {}

std::size_t MailQueue::FreePlaces() const {
  return settings_.capacity - std::min(settings_.capacity, fresh_.size() + outcome_count_);
}

std::size_t MailQueue::Room(const std::string& system_key) {
  const std::size_t free = FreePlaces();
  expected_.erase(system_key);
  if (free == 0 && turned_away_.size() < kMostSystems) turned_away_.insert(system_key);
  return free;
}

bool MailQueue::Post(const std::string& system_key, core::Notice notice, Instant now) {
  if (entries_.contains(notice.id) || Room(system_key) == 0) return false;
  if (const auto told = outcomes_.find(system_key); told != outcomes_.end()) {
    const bool settled =
        std::ranges::any_of(told->second.outcomes, [&](const NoticeOutcome& outcome) {
          return outcome.id == notice.id && outcome.kind != NoticeOutcome::Kind::Delayed;
        });
    if (settled) return false;  // the ledger does not know it yet
  }
  DropWhatIsNotSent(notice);
  const bool ends = EndsWithCertificate(notice, now.wall);
  const sys_seconds gives_up = now.wall + settings_.give_up;
  Entry entry{.key = system_key,
              .order = next_order_++,
              .backoff = Backoff{settings_.first_retry, settings_.last_retry},
              .gives_up = ends ? std::min(gives_up, notice.active.not_after) : gives_up,
              .ends_with_certificate = ends,
              .telling = Backoff{settings_.first_retry, settings_.last_retry}};
  std::string id = notice.id;
  entry.notice = std::move(notice);
  const auto place = entries_.emplace(std::move(id), std::move(entry)).first;
  Enqueue(place->second);
  if (away_) TellDelayed(place->second, away_->message, now);
  return true;
}

void MailQueue::Enqueue(Entry& entry) {
  if (entry.next_try)
    later_.emplace(std::pair{*entry.next_try, entry.order}, entry.notice.id);
  else
    fresh_.emplace(entry.order, entry.notice.id);
}

void MailQueue::Dequeue(const Entry& entry) {
  if (entry.next_try)
    later_.erase({*entry.next_try, entry.order});
  else
    fresh_.erase(entry.order);
}

void MailQueue::Erase(Entries::iterator entry) {
  if (entry->first == in_hand_)
    in_hand_.clear();
  else
    Dequeue(entry->second);
  entries_.erase(entry);
}

std::vector<NoticeOutcome> MailQueue::Outcomes(const std::string& system_key) {
  const auto found = outcomes_.find(system_key);
  if (found == outcomes_.end()) return {};
  found->second.fresh = true;
  const auto& all = found->second.outcomes;
  const auto count = static_cast<std::ptrdiff_t>(std::min(all.size(), kMostOutcomesAtOnce));
  return {all.begin(), all.begin() + count};
}

void MailQueue::Acknowledge(const std::string& system_key,
                            const std::vector<NoticeOutcome>& outcomes) {
  const auto found = outcomes_.find(system_key);
  if (found == outcomes_.end()) return;
  // By value: one that has changed since (Delayed, then Sent) was not acknowledged.
  outcome_count_ -= std::erase_if(found->second.outcomes, [&](const NoticeOutcome& outcome) {
    const bool known = std::ranges::find(outcomes, outcome) != outcomes.end();
    if (known) unsettled_.erase(outcome.id);
    return known;
  });
  if (found->second.outcomes.empty())
    outcomes_.erase(found);
  else
    wakes_.insert(system_key);
  InviteWhereThereIsRoom();
}

void MailQueue::Withdraw(const std::string& system_key, const std::vector<std::string>& ids) {
  for (const std::string& id : ids) {
    const auto entry = entries_.find(id);
    if (entry == entries_.end() || entry->second.key != system_key || id == in_hand_) continue;
    Erase(entry);
  }
  InviteWhereThereIsRoom();
}

void MailQueue::Forget(const std::string& system_key) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto next = std::next(entry);
    if (entry->second.key == system_key) Erase(entry);  // the one in hand: Done finds nothing
    entry = next;
  }
  if (const auto found = outcomes_.find(system_key); found != outcomes_.end()) {
    outcome_count_ -= found->second.outcomes.size();
    for (const NoticeOutcome& outcome : found->second.outcomes) unsettled_.erase(outcome.id);
    outcomes_.erase(found);
  }
  turned_away_.erase(system_key);
  evicted_.erase(system_key);
  expected_.erase(system_key);
  wakes_.erase(system_key);
  InviteWhereThereIsRoom();
}

const std::string* MailQueue::Choose(Steady now) {
  const bool due = !later_.empty() && later_.begin()->first.first <= now;
  const bool another = due && (fresh_.empty() || fresh_in_a_row_ >= kFreshBeforeAnother);
  if (another) {
    fresh_in_a_row_ = 0;
    return &later_.begin()->second;
  }
  if (fresh_.empty()) return nullptr;
  ++fresh_in_a_row_;
  return &fresh_.begin()->second;
}

// Nothing: now.
std::optional<MailQueue::Steady> MailQueue::WindowOpens(Steady now) {
  if (unsettled_.size() < settings_.in_flight) return std::nullopt;
  std::erase_if(unsettled_, [&](const auto& one) { return one.second + kUnsettledLife <= now; });
  if (unsettled_.size() < settings_.in_flight) return std::nullopt;
  const auto oldest =
      std::ranges::min_element(unsettled_, {}, [](const auto& one) { return one.second; });
  return oldest->second + kUnsettledLife;
}

std::variant<MailQueue::Send, MailQueue::Rest> MailQueue::Next(Instant now) {
  Sweep(now);
  const auto later = [this]() -> std::optional<Steady> {
    if (later_.empty()) return std::nullopt;
    return later_.begin()->first.first;
  };
  if (fresh_.empty() && (!later() || *later() > now.steady)) return Rest{later()};
  if (away_ && now.steady < away_->probe) return Rest{away_->probe};
  if (now.steady < earliest_) return Rest{earliest_};
  if (const auto opens = WindowOpens(now.steady)) return Rest{opens};
  const std::string* chosen = Choose(now.steady);
  if (chosen == nullptr) return Rest{later()};
  const auto entry = entries_.find(*chosen);
  Dequeue(entry->second);
  in_hand_ = entry->first;
  HoldWakeOf(entry->second.key, now.steady);
  if (settings_.per_minute > 0)
    earliest_ =
        now.steady + std::chrono::nanoseconds{std::chrono::minutes{1}} / settings_.per_minute;
  return Send{entry->second.notice};
}

void MailQueue::Done(const Delivery& delivery, Instant now) {
  auto entry = entries_.find(in_hand_);
  const bool settled = delivery.verdict == Verdict::Sent || delivery.verdict == Verdict::Refused;
  if (std::exchange(drops_in_hand_, false) && entry != entries_.end() && !settled) {
    said_.push_back(NoticeOutcome::Kind::Dropped);
    wakes_.insert(entry->second.key);  // this process may lead again, and a pass waited for it
    Erase(entry);
    entry = entries_.end();
  }
  const bool answered =
      delivery.verdict != Verdict::DelayedAll && delivery.verdict != Verdict::Stopped;
  if (answered && away_) {
    away_.reset();
    away_backoff_.Reset();
  }
  if (entry == entries_.end()) {
    in_hand_.clear();
    if (delivery.verdict == Verdict::DelayedAll) DelayAll(entries_.end(), delivery.message, now);
    return;
  }
  switch (delivery.verdict) {
    case Verdict::Sent:
      Settle(entry, {.kind = NoticeOutcome::Kind::Sent}, now);
      break;
    case Verdict::Refused:
      Settle(entry, {.kind = NoticeOutcome::Kind::Refused, .message = delivery.message}, now);
      break;
    case Verdict::DelayedAlone:
      DelayAlone(entry, delivery.message, now);
      break;
    case Verdict::DelayedAll:
      DelayAll(entry, delivery.message, now);
      break;
    case Verdict::Stopped:
      in_hand_.clear();
      Enqueue(entry->second);
      break;
  }
  InviteWhereThereIsRoom();
}

void MailQueue::Settle(Entries::iterator entry, NoticeOutcome outcome, Instant now) {
  Tell(entry->second, std::move(outcome), now);
  Erase(entry);
}

void MailQueue::DelayAlone(Entries::iterator entry, const std::string& message, Instant now) {
  in_hand_.clear();
  Entry& e = entry->second;
  e.trouble = message;
  e.next_try = now.steady + e.backoff.Next(random_());
  Enqueue(e);
  TellDelayed(e, message, now);
  if (later_.size() > settings_.most_delayed) EvictOne();
}

// The one that would be tried last goes. Its system keeps it as due, and posts it again when it is
// woken, which is when there is room for such mails: not sooner, or it would be tried without end.
void MailQueue::EvictOne() {
  const auto entry = entries_.find(std::prev(later_.end())->second);
  if (evicted_.size() < kMostSystems) evicted_.insert(entry->second.key);
  Erase(entry);
}

// Whatever waits is told of it, and again where the trouble is another one. The mail itself goes
// behind the others, so that the next probe is made with another one: it may be this mail alone
// that the server chokes on.
void MailQueue::DelayAll(Entries::iterator entry, const std::string& message, Instant now) {
  in_hand_.clear();
  if (entry != entries_.end()) {
    Entry& e = entry->second;
    e.order = next_order_++;
    if (e.next_try) e.next_try = now.steady + e.backoff.Next(random_());
    Enqueue(e);
  }
  away_ = Away{message, now.steady + away_backoff_.Next(random_())};
  for (auto& [id, waiting] : entries_) {
    waiting.trouble = message;
    TellChange(waiting, message, now);
  }
}

void MailQueue::Tell(const Entry& entry, NoticeOutcome outcome, Instant now) {
  outcome.id = entry.notice.id;
  outcome.at = now.wall;
  said_.push_back(outcome.kind);
  if (outcome.kind != NoticeOutcome::Kind::Delayed)
    unsettled_.insert_or_assign(outcome.id, now.steady);
  Untold& untold = outcomes_[entry.key];
  untold.fresh = true;
  auto& all = untold.outcomes;
  const auto before = std::ranges::find(all, outcome.id, &NoticeOutcome::id);
  if (before != all.end()) {
    *before = std::move(outcome);
  } else {
    all.push_back(std::move(outcome));
    ++outcome_count_;
  }
  wakes_.insert(entry.key);
}

void MailQueue::TellDelayed(Entry& entry, const std::string& message, Instant now) {
  entry.told = message;
  Tell(entry, {.kind = NoticeOutcome::Kind::Delayed, .message = message}, now);
}

// Thousands may wait, and each telling may be a write of a status; some servers say something else
// each time (the time of the day, a number of theirs). So changes are told of ever more seldom.
void MailQueue::TellChange(Entry& entry, const std::string& message, Instant now) {
  if (entry.told == message || now.steady < entry.tells_again) return;
  if (!entry.told.empty()) entry.tells_again = now.steady + entry.telling.Next(random_());
  TellDelayed(entry, message, now);
}

void MailQueue::Sweep(Instant now) {
  if (swept_ && now.steady - *swept_ < kSweepInterval) return;
  swept_ = now.steady;
  expected_.clear();  // whoever has not come by now may be gone
  GiveUpWhatIsOver(now);
  ForgetWhatNobodyAsksFor(now.steady);
  InviteWhereThereIsRoom();
}

NoticeOutcome MailQueue::GivenUp(const Entry& entry, sys_seconds now) const {
  const std::string last = entry.trouble.empty() ? "its turn did not come" : entry.trouble;
  const bool ended = entry.ends_with_certificate && now >= entry.notice.active.not_after;
  return {.kind = NoticeOutcome::Kind::GivenUp,
          .message = ended ? fmt::format("The certificate ended before it could be sent: {}", last)
                           : fmt::format("It was tried for {}: {}",
                                         DescribeDuration(settings_.give_up), last),
          .certificate_ended = ended};
}

void MailQueue::GiveUpWhatIsOver(Instant now) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto next = std::next(entry);
    if (now.wall >= entry->second.gives_up && entry->first != in_hand_)
      Settle(entry, GivenUp(entry->second, now.wall), now);
    entry = next;
  }
}

void MailQueue::ForgetWhatNobodyAsksFor(Steady now) {
  for (auto system = outcomes_.begin(); system != outcomes_.end();) {
    Untold& untold = system->second;
    if (std::exchange(untold.fresh, false)) untold.since = now;
    const bool over = untold.outcomes.empty() || untold.since + kOutcomeLife < now;
    if (over) outcome_count_ -= untold.outcomes.size();
    system = over ? outcomes_.erase(system) : std::next(system);
  }
}

std::size_t MailQueue::DropAll() {
  drops_in_hand_ = entries_.contains(in_hand_);
  const std::size_t kept = drops_in_hand_ ? 1 : 0;
  const std::size_t dropped = entries_.size() - kept;
  std::erase_if(entries_, [this](const auto& entry) { return entry.first != in_hand_; });
  fresh_.clear();
  later_.clear();
  // Sent and Refused stay: nobody else knows them, and this process may lead again at once.
  for (auto& [key, untold] : outcomes_)
    outcome_count_ -= std::erase_if(untold.outcomes, [](const NoticeOutcome& outcome) {
      return outcome.kind == NoticeOutcome::Kind::Delayed;
    });
  said_.insert(said_.end(), dropped, NoticeOutcome::Kind::Dropped);
  turned_away_.clear();
  evicted_.clear();
  expected_.clear();
  return dropped;
}

void MailQueue::InviteWhereThereIsRoom() {
  // Not for each place that comes free: a pass for one mail at a time would cost more than it.
  const std::size_t free = FreePlaces();
  if (free * 2 >= settings_.capacity) Invite(turned_away_, free);
  if (later_.size() * 4 <= settings_.most_delayed * 3)
    Invite(evicted_, settings_.most_delayed - later_.size());
}

void MailQueue::Invite(std::set<std::string>& among, std::size_t places) {
  while (expected_.size() < places && !among.empty()) {
    std::string key = std::move(among.extract(among.begin()).value());
    if (expected_.insert(key).second) invited_.push_back(std::move(key));
  }
}

std::vector<std::string> MailQueue::TakeInvited() { return std::exchange(invited_, {}); }

// One that is held since its last mail goes on being held; its time does not begin anew.
void MailQueue::HoldWakeOf(const std::string& system_key, Steady now) {
  const bool held_before = held_ == system_key;
  held_.clear();
  if (!wakes_.contains(system_key)) return;
  if (!held_before) held_since_ = now;
  if (now - held_since_ < kWakeIsHeld) held_ = system_key;
}

std::vector<std::string> MailQueue::TakeWakes() {
  if (in_hand_.empty()) held_.clear();
  std::vector<std::string> wakes;
  std::erase_if(wakes_, [&](const std::string& key) {
    if (key == held_) return false;
    wakes.push_back(key);
    return true;
  });
  return wakes;
}

std::vector<NoticeOutcome::Kind> MailQueue::TakeSaid() { return std::exchange(said_, {}); }

}  // namespace certpair::notify
