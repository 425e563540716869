// A pair as a reader of the Secret sees it. Borrows from the Secret and the mint.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "core/certificate.hpp"

namespace certpair::sim {

struct Pair;

struct Slot {
  std::array<std::string_view, 3> bytes;           ///< certificate, key, CA
  const core::Certificate* certificate = nullptr;  ///< where it is intact

  [[nodiscard]] bool IsEmpty() const {
    return bytes[0].empty() && bytes[1].empty() && bytes[2].empty();
  }
  /// The certificate, if neither slot of `before` held it.
  [[nodiscard]] const core::Certificate* NewSince(const Pair& before) const;
  [[nodiscard]] std::string Describe() const {
    if (IsEmpty()) return "nothing";
    return std::string{bytes[0]} + (certificate != nullptr ? "" : " (damaged)");
  }
  friend bool operator==(const Slot& a, const Slot& b) { return a.bytes == b.bytes; }
};

struct Pair {
  Slot active;
  Slot inactive;

  /// The inactive slot is as it was, or was damaged and is empty now.
  [[nodiscard]] bool KeepsInactive(const Pair& before) const {
    return inactive == before.inactive ||
           (before.inactive.certificate == nullptr && inactive.IsEmpty());
  }
  /// The intact inactive certificate of `before` is active, and what was active inactive, unless
  /// it was damaged.
  [[nodiscard]] bool IsSwapOf(const Pair& before) const {
    if (before.inactive.certificate == nullptr || !(active == before.inactive)) return false;
    return before.active.certificate != nullptr ? inactive == before.active : inactive.IsEmpty();
  }
  [[nodiscard]] std::string Describe() const {
    return fmt::format("[{}, {}]", active.Describe(), inactive.Describe());
  }
  friend bool operator==(const Pair&, const Pair&) = default;
};

inline const core::Certificate* Slot::NewSince(const Pair& before) const {
  const bool known = certificate == nullptr || bytes[0] == before.active.bytes[0] ||
                     bytes[0] == before.inactive.bytes[0];
  return known ? nullptr : certificate;
}

}  // namespace certpair::sim
