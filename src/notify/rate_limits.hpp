// How many mails may go: in all, for one namespace, and to one address. Pure.
// Private to src/notify, but for the queue and the settings.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace certpair::notify {

/// 0: no limit.
struct RateSettings {
  int per_minute = 0;          ///< in all, in any minute
  int namespace_per_hour = 0;  ///< for the systems of one namespace
  int address_per_hour = 0;    ///< to one address, whichever systems it subscribed to
};

/// `email` as it is counted: in lower case, and without what follows a `+` before the @, since
/// `anna+1@` and `anna+2@` are one mailbox (RFC 5233).
[[nodiscard]] std::string MailboxOf(std::string_view email);

/// A token bucket a key: as many at once as five minutes bring, then one each `1 h / per_hour`
/// (the generic cell rate algorithm: one time a key says all). At most 10,000 keys are
/// remembered; where there are more, those that would be forgotten first go. Not thread-safe.
class TokenBuckets {
 public:
  using Steady = std::chrono::steady_clock::time_point;
  /// 0: no limit.
  explicit TokenBuckets(int per_hour);
  /// When `key` may take one; nothing: now.
  [[nodiscard]] std::optional<Steady> Opens(const std::string& key, Steady now) const;
  void Take(const std::string& key, Steady now);
  /// The last one was not used.
  void GiveBack(const std::string& key);
  [[nodiscard]] std::size_t Size() const { return full_at_.size(); }

 private:
  void MakeRoom(Steady now);
  std::chrono::nanoseconds interval_{};  // 0: no limit
  std::chrono::nanoseconds slack_{};
  std::unordered_map<std::string, Steady> full_at_;  // when the bucket of a key is full again
};

/// At most so many in any minute: remembers when each of the last went. Not thread-safe.
class MinuteWindow {
 public:
  using Steady = std::chrono::steady_clock::time_point;
  /// 0: no limit.
  explicit MinuteWindow(int per_minute);
  [[nodiscard]] std::optional<Steady> Opens(Steady now) const;
  void Take(Steady now);

 private:
  std::size_t most_;
  std::deque<Steady> taken_;  // oldest first
};

/// The three rates together. Not thread-safe.
class MailRates {
 public:
  using Steady = std::chrono::steady_clock::time_point;
  explicit MailRates(const RateSettings& settings);

  /// When the next mail may go, as far as one rate is concerned; nothing: now.
  [[nodiscard]] std::optional<Steady> OpensForAll(Steady now) const { return all_.Opens(now); }
  [[nodiscard]] std::optional<Steady> OpensForSpace(const std::string& space, Steady now) const {
    return spaces_.Opens(space, now);
  }
  [[nodiscard]] std::optional<Steady> OpensForMailbox(const std::string& mailbox,
                                                      Steady now) const {
    return mailboxes_.Opens(mailbox, now);
  }
  /// A mail goes.
  void Take(const std::string& space, const std::string& mailbox, Steady now);
  /// The last mail was not delivered.
  void GiveBack(const std::string& space, const std::string& mailbox);

  /// Why a mail waits, for a person: names the flag and its value.
  [[nodiscard]] std::string WhyAllWait() const;
  [[nodiscard]] std::string WhySpaceWaits() const;
  [[nodiscard]] std::string WhyMailboxWaits() const;

 private:
  const RateSettings settings_;
  MinuteWindow all_;
  TokenBuckets spaces_;
  TokenBuckets mailboxes_;
};

}  // namespace certpair::notify
