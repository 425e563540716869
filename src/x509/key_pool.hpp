// Keys are made away from the threads that reconcile: an RSA key costs up to a second of a core.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "x509/key.hpp"

namespace certpair::x509 {

/// A fixed number of threads at low priority that make keys for whoever asked, in the order in
/// which they asked. Thread-safe. Destroying it stops the threads within one prime test.
class KeyPool {
 public:
  using Ready = std::function<void(const std::string& owner)>;
  /// `ready` is called from a pool thread, without locks held, when the key of `owner` can be
  /// taken.
  KeyPool(std::size_t threads, Ready ready);
  ~KeyPool();
  KeyPool(const KeyPool&) = delete;
  KeyPool& operator=(const KeyPool&) = delete;

  /// A key of `spec` for `owner`, if one is there; else it is asked for (once an owner: a second
  /// call with another spec replaces the wish) and `ready(owner)` follows. ECDSA and Ed25519 keys
  /// take microseconds and are made in the call. An error is that of GenerateKey.
  [[nodiscard]] Result<std::optional<PrivateKey>> Take(const std::string& owner,
                                                       core::KeySpec spec);
  /// Drops the wish, or the key, of an owner that is gone or wants none any more.
  void Forget(const std::string& owner);
  /// Drops all wishes and all keys that nobody took.
  void ForgetAll();
  /// Owners that wait, for the metric.
  [[nodiscard]] std::size_t Waiting() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace certpair::x509
