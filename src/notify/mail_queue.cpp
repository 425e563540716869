#include "notify/mail_queue.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/time_format.hpp"

namespace certpair::notify {
namespace {

using core::NoticeKind;
using core::NoticeOutcome;

constexpr std::size_t kMostOutcomesAtOnce = 300;
// Of the room, a namespace may take three times what it leaves free: all of them together never
// take the whole, so that one more finds a place at once (the dynamic threshold of Choudhury and
// Hahne, for buffers that queues share).
constexpr std::size_t kShare = 3;
constexpr std::size_t kLeastInvited = 8;  // a namespace is called when an eighth is free for it
// A shorter wait for a rate is not worth a write of a status.
constexpr std::chrono::seconds kWorthSaying{5};
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

// Of `system:<namespace>/<name>` the namespace.
std::string SpaceOf(std::string_view key) {
  const std::size_t start = key.find(':') + 1;  // 0 where there is none
  return std::string{key.substr(start, key.find('/', start) - start)};
}

std::string OverRate(std::string_view who, std::string_view flag, int rate, std::string_view time) {
  return fmt::format("{} already sent as many mails as it may ({}: {} {}).", who, flag, rate, time);
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
      window_(settings.rates.per_minute),
      by_space_(settings.rates.namespace_per_hour),
      by_mailbox_(settings.rates.address_per_hour) {}

std::size_t MailQueue::FreePlaces() const {
  return settings_.capacity - std::min(settings_.capacity, lanes_.Untried() + outcome_count_);
}

std::size_t MailQueue::TakenBy(const std::string& space) const {
  const auto outcomes = outcomes_of_.find(space);
  return lanes_.Untried(space) + (outcomes == outcomes_of_.end() ? 0 : outcomes->second);
}

// As many as it may post, one after the other, before it has kShare times what is free.
std::size_t MailQueue::RoomOf(const std::string& space) const {
  const std::size_t free = FreePlaces();
  const std::size_t taken = TakenBy(space);
  if (taken >= kShare * free) return 0;
  return (kShare * free - taken + kShare) / (kShare + 1);
}

std::size_t MailQueue::Room(const std::string& system_key) {
  const std::string space = SpaceOf(system_key);
  invitations_.Arrive(space, system_key);
  const std::size_t room = RoomOf(space);
  if (room == 0) invitations_.TurnAway(space, system_key);
  return room;
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
  Entry entry{.key = system_key,
              .mailbox = MailboxOf(notice.recipient.email),
              .place = {.space = SpaceOf(system_key), .order = next_order_++},
              .backoff = Backoff{settings_.first_retry, settings_.last_retry},
              .gives_up = {},
              .ends_with_certificate = ends,
              .telling = Backoff{settings_.first_retry, settings_.last_retry}};
  std::string id = notice.id;
  entry.notice = std::move(notice);
  entry.gives_up = GivesUpAt(entry, now.wall);
  const auto place = entries_.emplace(std::move(id), std::move(entry)).first;
  lanes_.Add(place->second.place, place->first);
  if (away_) TellDelayed(place->second, away_->message, now);
  return true;
}

sys_seconds MailQueue::GivesUpAt(const Entry& entry, sys_seconds now) const {
  const sys_seconds gives_up = now + settings_.give_up;
  return entry.ends_with_certificate ? std::min(gives_up, entry.notice.active.not_after) : gives_up;
}

void MailQueue::Erase(Entries::iterator entry) {
  if (entry->first == in_hand_)
    in_hand_.clear();
  else
    lanes_.Remove(entry->second.place);
  entries_.erase(entry);
}

void MailQueue::CountOutcomes(const std::string& key, std::ptrdiff_t more) {
  const auto of = outcomes_of_.try_emplace(SpaceOf(key)).first;
  of->second += static_cast<std::size_t>(more);  // modulo 2^64: `more` may be below 0
  outcome_count_ += static_cast<std::size_t>(more);
  if (of->second == 0) outcomes_of_.erase(of);
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
  const auto gone = std::erase_if(found->second.outcomes, [&](const NoticeOutcome& outcome) {
    const bool known = std::ranges::find(outcomes, outcome) != outcomes.end();
    if (known) unsettled_.erase(outcome.id);
    return known;
  });
  CountOutcomes(system_key, -static_cast<std::ptrdiff_t>(gone));
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
    CountOutcomes(system_key, -std::ssize(found->second.outcomes));
    for (const NoticeOutcome& outcome : found->second.outcomes) unsettled_.erase(outcome.id);
    outcomes_.erase(found);
  }
  invitations_.Forget(SpaceOf(system_key), system_key);
  wakes_.erase(system_key);
  InviteWhereThereIsRoom();
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

// Where it may not go now, its system is told.
std::optional<MailQueue::Steady> MailQueue::AddressOpens(const std::string& id, Instant now) {
  Entry& entry = entries_.at(id);
  const auto opens = by_mailbox_.Opens(entry.mailbox, now.steady);
  if (!opens) return std::nullopt;
  entry.place.not_before = opens;
  if (entry.place.delayed || entry.over_rate) return opens;  // it was told of its trouble
  entry.over_rate = true;
  entry.trouble = fmt::format(
      "The recipient already got as many mails as one address may (--smtp-address-rate: {} an "
      "hour).",
      settings_.rates.address_per_hour);
  TellChange(entry, entry.trouble, now);
  return opens;
}

// Tells those that were not tried yet; of all namespaces, or of these.
void MailQueue::SayOverRate(const std::set<std::string>* spaces, const std::string& message,
                            Instant now) {
  if (spaces && spaces->empty()) return;
  for (auto& [id, entry] : entries_) {
    if (entry.place.delayed || (spaces && !spaces->contains(entry.place.space))) continue;
    entry.over_rate = true;
    entry.trouble = message;
    TellChange(entry, message, now);
  }
}

std::variant<MailQueue::Send, MailQueue::Rest> MailQueue::Next(Instant now) {
  Sweep(now);
  if (entries_.empty()) return Rest{};
  if (away_ && now.steady < away_->probe) return Rest{away_->probe};
  if (const auto opens = window_.Opens(now.steady)) {
    if (*opens - now.steady >= kWorthSaying)
      SayOverRate(nullptr,
                  OverRate("The operator", "--smtp-rate", settings_.rates.per_minute, "a minute"),
                  now);
    return Rest{opens};
  }
  if (const auto opens = WindowOpens(now.steady)) return Rest{opens};
  const auto choice = lanes_.Choose(
      now.steady,
      {.space = [&](const std::string& space) { return by_space_.Opens(space, now.steady); },
       .mail = [&](const std::string& id) { return AddressOpens(id, now); }});
  std::set<std::string> closed;
  for (const auto& [space, opens] : choice.closed)
    if (opens - now.steady >= kWorthSaying) closed.insert(space);
  SayOverRate(&closed,
              OverRate("The namespace", "--smtp-namespace-rate", settings_.rates.namespace_per_hour,
                       "an hour"),
              now);
  if (choice.id.empty()) return Rest{choice.until};
  const Entry& entry = entries_.at(choice.id);
  in_hand_ = choice.id;
  HoldWakeOf(entry.key, now.steady);
  window_.Take(now.steady);
  by_space_.Take(entry.place.space, now.steady);
  by_mailbox_.Take(entry.mailbox, now.steady);
  return Send{entry.notice};
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
  if (!answered) {  // nothing reached anyone
    by_space_.GiveBack(entry->second.place.space);
    by_mailbox_.GiveBack(entry->second.mailbox);
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
      lanes_.Add(entry->second.place, entry->first);
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
  e.place.not_before = now.steady + e.backoff.Next(random_());
  e.place.delayed = true;
  if (std::exchange(e.over_rate, false)) e.gives_up = GivesUpAt(e, now.wall);
  lanes_.Add(e.place, entry->first);
  TellDelayed(e, message, now);
  if (lanes_.Delayed() > settings_.most_delayed) EvictOne();
}

// Of the namespace that has the most of them, the one that would be tried last goes. Its system
// keeps it as due, and posts it again when it is woken, which is when there is room for such mails:
// not sooner, or it would be tried without end.
void MailQueue::EvictOne() {
  const auto entry = entries_.find(lanes_.LastDelayed());
  invitations_.Evict(entry->second.place.space, entry->second.key);
  Erase(entry);
}

// Whatever waits is told of it, and again where the trouble is another one. The mail itself goes
// behind the others, so that the next probe is made with another one: it may be this mail alone
// that the server chokes on.
void MailQueue::DelayAll(Entries::iterator entry, const std::string& message, Instant now) {
  in_hand_.clear();
  if (entry != entries_.end()) {
    Entry& e = entry->second;
    e.place.order = next_order_++;
    if (e.place.delayed) e.place.not_before = now.steady + e.backoff.Next(random_());
    lanes_.Add(e.place, entry->first);
  }
  away_ = Away{message, now.steady + away_backoff_.Next(random_())};
  for (auto& [id, waiting] : entries_) {
    waiting.trouble = message;
    waiting.over_rate = false;
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
    CountOutcomes(entry.key, 1);
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
  invitations_.StopExpecting();
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

// The time that a mail waits for a rate does not count: nobody has tried it.
void MailQueue::GiveUpWhatIsOver(Instant now) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto next = std::next(entry);
    if (entry->second.over_rate && !away_)
      entry->second.gives_up = std::max(entry->second.gives_up, GivesUpAt(entry->second, now.wall));
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
    if (over) CountOutcomes(system->first, -std::ssize(untold.outcomes));
    system = over ? outcomes_.erase(system) : std::next(system);
  }
}

std::size_t MailQueue::DropAll() {
  drops_in_hand_ = entries_.contains(in_hand_);
  const std::size_t kept = drops_in_hand_ ? 1 : 0;
  const std::size_t dropped = entries_.size() - kept;
  std::erase_if(entries_, [this](const auto& entry) { return entry.first != in_hand_; });
  lanes_.Clear();
  // Sent and Refused stay: nobody else knows them, and this process may lead again at once.
  for (auto& [key, untold] : outcomes_) {
    const auto gone = std::erase_if(untold.outcomes, [](const NoticeOutcome& outcome) {
      return outcome.kind == NoticeOutcome::Kind::Delayed;
    });
    CountOutcomes(key, -static_cast<std::ptrdiff_t>(gone));
  }
  said_.insert(said_.end(), dropped, NoticeOutcome::Kind::Dropped);
  invitations_.Clear();
  return dropped;
}

// Not for each place that comes free: a pass for one mail at a time would cost more than it.
void MailQueue::InviteWhereThereIsRoom() {
  const std::size_t free = FreePlaces();
  const std::size_t least = settings_.capacity / kLeastInvited;
  invitations_.InviteTurnedAway(free, [&](const std::string& space) -> std::size_t {
    const std::size_t share = kShare * (free + TakenBy(space)) / (kShare + 1);
    const std::size_t room = RoomOf(space);
    return room >= least && room * 2 >= share ? room : 0;
  });
  if (lanes_.Delayed() * 4 <= settings_.most_delayed * 3)
    invitations_.InviteEvicted(settings_.most_delayed - lanes_.Delayed());
}

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
