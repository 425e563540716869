#include "core/schedule.hpp"

#include <algorithm>
#include <functional>

namespace certpair::core {
namespace {

constexpr seconds kLongestOffset = std::chrono::hours{24};
constexpr seconds kLongestLead = std::chrono::minutes{5};
constexpr std::int64_t kLeadShare = 20;  // R15: a twentieth of the life

}  // namespace

std::uint64_t StableHash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3U;
  }
  return hash;
}

seconds ServiceLife(const SystemSpec& spec, const Certificate& certificate) {
  const seconds whole = std::max(certificate.not_after - certificate.not_before, seconds{0});
  // A short one may not be backdated in full: its authority was young, or its end was clipped.
  return whole > 2 * kBackdating ? whole - kBackdating : std::min(whole, spec.validity);
}

seconds EffectiveBefore(const SystemSpec& spec, const Certificate* certificate) {
  const seconds most = spec.validity * 9 / 10;
  if (spec.regenerate_before) return std::clamp(*spec.regenerate_before, seconds{0}, most);
  const seconds life = certificate ? ServiceLife(spec, *certificate) : spec.validity;
  return std::min({kDefaultBefore, life / 3, spec.validity / 3});
}

seconds StartOffset(std::string_view uid, seconds before) {
  const auto spread = std::min(kLongestOffset, before / 4).count();
  if (spread <= 0) return seconds{0};
  return seconds{static_cast<std::int64_t>(StableHash(uid) % static_cast<std::uint64_t>(spread))};
}

Window RegenerationWindow(std::string_view uid, const SystemSpec& spec,
                          const Certificate& certificate) {
  Window window;
  window.before = EffectiveBefore(spec, &certificate);
  window.ends = certificate.not_after;
  window.opens = window.ends - window.before;
  window.starts = window.opens + StartOffset(uid, window.before);
  window.last_quarter = window.ends - window.before / 4;
  window.lead = window.ends - std::min(kLongestLead, ServiceLife(spec, certificate) / kLeadShare);
  return window;
}

std::vector<seconds> EffectiveThresholds(const SystemSpec& spec, const Certificate& certificate) {
  std::vector<seconds> thresholds = spec.warn_before;
  if (thresholds.empty()) return thresholds;
  const seconds life = ServiceLife(spec, certificate);
  std::erase_if(thresholds, [&](seconds t) { return t >= life || t <= seconds{0}; });
  if (thresholds.empty()) thresholds.push_back(life / 3);
  std::ranges::sort(thresholds, std::greater<>{});
  const auto doubled = std::ranges::unique(thresholds);
  thresholds.erase(doubled.begin(), doubled.end());
  return thresholds;
}

std::optional<CertificateOrder> OrderNow(const SystemSpec& spec, const AuthorityView& authority,
                                         sys_seconds now) {
  CertificateOrder order{spec.subject, spec.key, std::max(now - kBackdating, authority.not_before),
                         std::min(now + spec.validity, authority.chain_end)};
  if (order.not_before > now || order.not_after <= now) return std::nullopt;
  return order;
}

bool Outlasts(const CertificateOrder& order, const Certificate& present, const SystemSpec& spec) {
  return order.not_after >= present.not_after + spec.validity / 10;
}

}  // namespace certpair::core
