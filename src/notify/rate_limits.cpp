#include "notify/rate_limits.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "core/ledger.hpp"

namespace certpair::notify {
namespace {

constexpr std::size_t kMostKeys = 10'000;
constexpr int kForgottenAtOnce = 1000;
constexpr int kBurstsAnHour = 12;  // a burst is what five minutes bring

}  // namespace

std::string MailboxOf(std::string_view email) {
  const std::size_t at = std::min(email.rfind('@'), email.size());
  const std::size_t tag = std::min(email.find('+'), at);
  const std::string_view local = email.substr(0, tag == 0 ? at : tag);
  return core::FoldAddress(std::string{local} + std::string{email.substr(at)});
}

TokenBuckets::TokenBuckets(int per_hour) {
  if (per_hour <= 0) return;
  interval_ = std::chrono::nanoseconds{std::chrono::hours{1}} / per_hour;
  slack_ = interval_ * (std::max(1, per_hour / kBurstsAnHour) - 1);
}

std::optional<TokenBuckets::Steady> TokenBuckets::Opens(const std::string& key, Steady now) const {
  const auto found = full_at_.find(key);
  if (found == full_at_.end()) return std::nullopt;
  const Steady opens = found->second - slack_;
  return opens <= now ? std::nullopt : std::optional{opens};
}

void TokenBuckets::Take(const std::string& key, Steady now) {
  if (interval_.count() == 0) return;
  MakeRoom(now);
  Steady& full_at = full_at_.try_emplace(key, now).first->second;
  full_at = std::max(full_at, now) + interval_;
}

void TokenBuckets::GiveBack(const std::string& key) {
  if (const auto found = full_at_.find(key); found != full_at_.end()) found->second -= interval_;
}

// A bucket that is full again is as good as none.
void TokenBuckets::MakeRoom(Steady now) {
  if (full_at_.size() < kMostKeys) return;
  std::erase_if(full_at_, [now](const auto& bucket) { return bucket.second <= now; });
  if (full_at_.size() < kMostKeys) return;
  // Many at once, or each further key would search all of them.
  std::vector<Steady> times;
  times.reserve(full_at_.size());
  for (const auto& [key, full_at] : full_at_) times.push_back(full_at);
  const auto last = times.begin() + kForgottenAtOnce;
  std::ranges::nth_element(times, last);
  std::size_t left = kForgottenAtOnce;
  std::erase_if(full_at_, [&](const auto& bucket) {
    return left > 0 && bucket.second <= *last && left-- > 0;
  });
}

MinuteWindow::MinuteWindow(int per_minute)
    : most_(static_cast<std::size_t>(std::max(0, per_minute))) {}

std::optional<MinuteWindow::Steady> MinuteWindow::Opens(Steady now) const {
  if (most_ == 0 || taken_.size() < most_) return std::nullopt;
  const Steady opens = taken_.front() + std::chrono::minutes{1};
  return opens <= now ? std::nullopt : std::optional{opens};
}

void MinuteWindow::Take(Steady now) {
  if (most_ == 0) return;
  if (taken_.size() == most_) taken_.pop_front();
  taken_.push_back(now);
}

MailRates::MailRates(const RateSettings& settings)
    : settings_(settings),
      all_(settings.per_minute),
      spaces_(settings.namespace_per_hour),
      mailboxes_(settings.address_per_hour) {}

void MailRates::Take(const std::string& space, const std::string& mailbox, Steady now) {
  all_.Take(now);
  spaces_.Take(space, now);
  mailboxes_.Take(mailbox, now);
}

void MailRates::GiveBack(const std::string& space, const std::string& mailbox) {
  spaces_.GiveBack(space);
  mailboxes_.GiveBack(mailbox);
}

std::string MailRates::WhyAllWait() const {
  return fmt::format("The operator reached its limit of {} mails a minute (--smtp-rate).",
                     settings_.per_minute);
}

std::string MailRates::WhySpaceWaits() const {
  return fmt::format("The namespace reached its limit of {} mails an hour (--smtp-namespace-rate).",
                     settings_.namespace_per_hour);
}

std::string MailRates::WhyMailboxWaits() const {
  return fmt::format("The recipient reached its limit of {} mails an hour (--smtp-address-rate).",
                     settings_.address_per_hour);
}

}  // namespace certpair::notify
