#include "metrics/expiry.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace certpair::metrics {
namespace {

std::string KeyOf(std::string_view name_space, std::string_view name) {
  return fmt::format("{}/{}", name_space, name);
}

void WriteHead(std::string& text, std::string_view name, std::string_view type,
               std::string_view help) {
  fmt::format_to(std::back_inserter(text), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
}

}  // namespace

std::string EscapeLabel(std::string_view value) {
  std::string escaped;
  escaped.reserve(value.size());
  for (const char c : value) {
    if (c == '\\' || c == '"') escaped += '\\';
    if (c == '\n') {
      escaped += "\\n";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

void ExpiryTable::Set(std::string_view name_space, std::string_view name, CertificateTimes times) {
  std::string key = KeyOf(name_space, name);
  if (const auto known = systems_.find(key); known != systems_.end()) {
    known->second = times;
  } else if (systems_.size() < max_systems_) {
    systems_.emplace(std::move(key), times);
  } else {
    ++refused_;
  }
}

void ExpiryTable::Forget(std::string_view name_space, std::string_view name) {
  systems_.erase(KeyOf(name_space, name));
}

void ExpiryTable::Write(sys_seconds now, std::string& text) const {
  WriteStates(now, text);
  WriteSeries(now, text);
  constexpr std::string_view kSeries = "certpair_certificate_series_dropped";
  WriteHead(text, kSeries, "gauge",
            "Systems beyond the 10,000 that have a series of seconds to expiry");
  const std::size_t dropped = systems_.size() - std::min(systems_.size(), max_series_);
  fmt::format_to(std::back_inserter(text), "{} {}\n", kSeries, dropped);
  constexpr std::string_view kUpdates = "certpair_certificate_updates_dropped_total";
  WriteHead(text, kUpdates, "counter",
            "Updates of systems beyond the 100,000 that these metrics know");
  fmt::format_to(std::back_inserter(text), "{} {}\n", kUpdates, refused_);
}

void ExpiryTable::WriteStates(sys_seconds now, std::string& text) const {
  std::size_t active = 0;
  std::size_t inactive = 0;
  std::size_t expired = 0;
  for (const auto& [key, times] : systems_) {
    ++(times.active_not_after <= now ? expired : active);
    if (times.inactive_not_after) ++(*times.inactive_not_after <= now ? expired : inactive);
  }
  constexpr std::string_view kName = "certpair_certificates";
  WriteHead(
      text, kName, "gauge",
      "Certificates by state: active, inactive or expired; an expired one counts as expired only");
  const std::array<std::pair<std::string_view, std::size_t>, 3> states{
      {{"active", active}, {"inactive", inactive}, {"expired", expired}}};
  for (const auto& [state, count] : states)
    fmt::format_to(std::back_inserter(text), "{}{{state=\"{}\"}} {}\n", kName, state, count);
}

void ExpiryTable::WriteSeries(sys_seconds now, std::string& text) const {
  constexpr std::string_view kName = "certpair_certificate_seconds_to_expiry";
  WriteHead(text, kName, "gauge",
            "Seconds until the active certificate of a system expires; negative afterwards");
  std::vector<Systems::const_iterator> shown;
  shown.reserve(systems_.size());
  for (auto it = systems_.begin(); it != systems_.end(); ++it) shown.push_back(it);
  if (shown.size() > max_series_) {
    const auto last = std::next(shown.begin(), static_cast<std::ptrdiff_t>(max_series_));
    std::nth_element(shown.begin(), last, shown.end(), [](const auto& a, const auto& b) {
      return a->second.active_not_after < b->second.active_not_after;
    });
    shown.erase(last, shown.end());
  }
  text.reserve(text.size() + shown.size() * 112);
  for (const auto& system : shown) {
    const std::string_view key = system->first;
    const std::size_t slash = key.find('/');
    fmt::format_to(std::back_inserter(text), "{}{{namespace=\"{}\",name=\"{}\"}} {}\n", kName,
                   EscapeLabel(key.substr(0, slash)), EscapeLabel(key.substr(slash + 1)),
                   (system->second.active_not_after - now).count());
  }
}

}  // namespace certpair::metrics
