// When things are due, and for how long certificates are ordered. Pure functions of a spec, a
// certificate and a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/authority.hpp"
#include "core/certificate.hpp"
#include "core/system.hpp"

namespace certpair::core {

/// R22: a certificate begins so much before it is made, for peers whose clock is behind.
inline constexpr seconds kBackdating = std::chrono::minutes{5};
/// R23: the regeneration window where `before` is left out.
inline constexpr seconds kDefaultBefore = std::chrono::hours{336};

/// FNV-1a, 64 bits (offset basis 0xcbf29ce484222325, prime 0x100000001b3): the same in every
/// process and on every machine, which std::hash is not.
[[nodiscard]] std::uint64_t StableHash(std::string_view text);

/// For how long a certificate serves: from its making, not from its backdated beginning, so that a
/// third of two minutes is not a third of seven.
[[nodiscard]] seconds ServiceLife(const SystemSpec& spec, const Certificate& certificate);

/// R23: `before` as it counts for `certificate`: as given; else 336h, a third of its life or a
/// third of the validity, whichever is shortest. Never over nine tenths of the validity: sooner, no
/// new certificate would outlast the present one by a tenth (R22). Without a certificate, as for
/// one that has the whole validity.
[[nodiscard]] seconds EffectiveBefore(const SystemSpec& spec, const Certificate* certificate);

/// R8: in [0, min(24h, before/4)), by the system's UID.
[[nodiscard]] seconds StartOffset(std::string_view uid, seconds before);

/// The regeneration window of one certificate.
struct Window {
  seconds before{};
  sys_seconds opens;         ///< notAfter - before
  sys_seconds starts;        ///< R8: when this system begins
  sys_seconds last_quarter;  ///< R6: rollbacks and pending operations wait no longer
  sys_seconds lead;          ///< R15: `atExpiry: Activate` acts from here
  sys_seconds ends;          ///< notAfter
};
[[nodiscard]] Window RegenerationWindow(std::string_view uid, const SystemSpec& spec,
                                        const Certificate& certificate);

/// R10: from here on a regeneration that could not happen is worth a mail, if the last threshold
/// has passed: an obstacle of a minute concerns no reader.
[[nodiscard]] inline sys_seconds FailingFrom(const Window& window) {
  return window.starts + window.before / 8;
}

/// A failure that may pass is reported once it has lasted so long: ten minutes, or an
/// eighth of the window of the active certificate where that is shorter.
[[nodiscard]] inline seconds Patience(const std::optional<Window>& window) {
  constexpr seconds kLongest = std::chrono::minutes{10};
  return window ? std::min(kLongest, FailingFrom(*window) - window->starts) : kLongest;
}

/// R23: the thresholds of `warnBefore` that are shorter than the certificate's life, each once,
/// longest first; a third of the life where none is; none where `warnBefore` is empty.
[[nodiscard]] std::vector<seconds> EffectiveThresholds(const SystemSpec& spec,
                                                       const Certificate& certificate);

/// R22: what is ordered now, clipped to the authority's chain. Nothing if the chain has ended, or
/// has not begun.
[[nodiscard]] std::optional<CertificateOrder> OrderNow(const SystemSpec& spec,
                                                       const AuthorityView& authority,
                                                       sys_seconds now);

/// R22: whether an automatic order ends later than `present` by a tenth of the validity.
[[nodiscard]] bool Outlasts(const CertificateOrder& order, const Certificate& present,
                            const SystemSpec& spec);

[[nodiscard]] inline bool IsExpired(const Certificate& certificate, sys_seconds now) {
  return now >= certificate.not_after;
}
[[nodiscard]] inline bool IsValid(const Certificate& certificate, sys_seconds now) {
  return now >= certificate.not_before && !IsExpired(certificate, now);
}

}  // namespace certpair::core
