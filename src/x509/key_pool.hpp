// Keys are made away from the threads that reconcile: an RSA key costs up to a second of a core.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "x509/key.hpp"
#include "x509/key_order.hpp"

namespace certpair::x509 {

/// A fixed number of threads at low priority that make keys, in the order of KeyOrder: by turns
/// among the groups of the owners, so that no group keeps another's keys away. Thread-safe.
/// Destroying it stops the threads within one prime test.
class KeyPool {
 public:
  using Ready = std::function<void(const std::string& owner)>;
  /// The group of an owner. Pure.
  using GroupOf = std::function<std::string(const std::string& owner)>;
  /// `ready` is called when `owner` is to call Take again: its key was made, or there is room for
  /// its wish. Without locks held, from a pool thread, or from Take or Forget of another owner.
  /// Without `group_of` all owners are of one group.
  KeyPool(std::size_t threads, Ready ready, GroupOf group_of = {}, KeyLimits limits = {});
  ~KeyPool();
  KeyPool(const KeyPool&) = delete;
  KeyPool& operator=(const KeyPool&) = delete;

  /// A key of `spec` for `owner`, if one is there; else it is asked for (once an owner: a second
  /// call with another spec replaces the wish) and `ready(owner)` follows. `needed_by`: when the
  /// certificate in use ends that waits for this key. ECDSA and Ed25519 keys take microseconds and
  /// are made in the call. An error is that of GenerateKey.
  [[nodiscard]] Result<std::optional<PrivateKey>> Take(
      const std::string& owner, core::KeySpec spec,
      std::optional<sys_seconds> needed_by = std::nullopt);
  /// Drops the wish, or the key, of an owner that is gone or wants none any more.
  void Forget(const std::string& owner);
  /// Drops all wishes and all keys that nobody took.
  void ForgetAll();
  /// Owners that wait for a key, for the metric.
  [[nodiscard]] std::size_t Waiting() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace certpair::x509
