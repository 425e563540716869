#include "notify/commands.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "notify/text.hpp"

namespace certpair::notify {
namespace {

bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

// RFC 1123 label, and dots between several of them.
bool IsKubernetesName(std::string_view name) {
  return !name.empty() && name.size() <= 253 && IsLowerOrDigit(name.front()) &&
         IsLowerOrDigit(name.back()) && std::ranges::all_of(name, [](char c) {
           return IsLowerOrDigit(c) || c == '-' || c == '.';
         });
}

std::string FingerprintLine(std::string_view fingerprint) {
  const auto canonical = core::CanonicalFingerprint(fingerprint);
  return canonical ? fmt::format("  fingerprint: \"{}\"\n", *canonical) : "";
}

// kubectl's JSONPath to a field of the certificate in that state.
std::string PathOf(std::string_view state, std::string_view field) {
  return fmt::format("{{.status.certificates[?(@.state==\"{}\")].{}}}", state, field);
}

}  // namespace

std::optional<Commands> Commands::Of(const core::Notice& notice) {
  if (!IsKubernetesName(notice.system_namespace) || !IsKubernetesName(notice.system_name))
    return std::nullopt;
  return Commands{notice.system_namespace, notice.system_name};
}

std::string Commands::Plugin(std::string_view verb, std::string_view more) const {
  return fmt::format("kubectl certpair {} {}{}{} -n {}", verb, name_, more.empty() ? "" : " ", more,
                     space_);
}

// `create`, since `apply` knows no generateName. `fingerprint`: a line, or nothing.
std::string Commands::Operation(std::string_view action, std::string_view fingerprint) const {
  const bool substitutes = fingerprint.find('$') != std::string_view::npos;
  return fmt::format(
      "kubectl create -f - <<{}\n"
      "apiVersion: certpair.dev/v1\n"
      "kind: CertificateOperation\n"
      "metadata: {{generateName: {}-, namespace: {}}}\n"
      "spec:\n"
      "  systemRef: {{name: {}}}\n"
      "  action: {}\n{}"
      "END",
      substitutes ? "END" : "'END'", name_, space_, name_, action, fingerprint);
}

Command Commands::Generate() const { return {Plugin("generate"), Operation("Generate", {})}; }

Command Commands::Activate(std::string_view fingerprint) const {
  return {Plugin("activate", ShellWord(fingerprint)),
          Operation("Activate", FingerprintLine(fingerprint))};
}

Command Commands::ActivateInactive() const {
  return {Plugin("activate"),
          Operation("Activate", fmt::format("  fingerprint: \"$(kubectl -n {} get psys {} -o "
                                            "jsonpath='{}')\"\n",
                                            space_, name_, PathOf("Inactive", "fingerprint")))};
}

Command Commands::Delete(std::string_view fingerprint) const {
  return {Plugin("delete", ShellWord(fingerprint)),
          Operation("Delete", FingerprintLine(fingerprint))};
}

Command Commands::Download(bool active) const {
  return {Plugin("download", active ? "" : "--inactive"),
          fmt::format("kubectl -n {} get psys {} -o jsonpath='{}'", space_, name_,
                      PathOf(active ? "Active" : "Inactive", "pem"))};
}

Command Commands::TurnRegenerationOn() const {
  return {Plugin("auto on"),
          fmt::format("kubectl -n {} patch psys {} --type=merge "
                      "-p '{{\"spec\":{{\"automaticRegeneration\":{{\"enabled\":true}}}}}}'",
                      space_, name_)};
}

Command Commands::Describe() const {
  return {Plugin("describe"), fmt::format("kubectl -n {} describe psys {}", space_, name_)};
}

std::string FileName(std::string_view system, std::string_view fingerprint) {
  constexpr std::size_t kDigits = 8;
  std::string name;
  for (const char c : system.substr(0, 63))
    name += IsLowerOrDigit(c) || (c >= 'A' && c <= 'Z') || c == '-' ? c : '-';
  std::string digits;
  for (const char c : fingerprint)
    if (digits.size() < kDigits && (IsLowerOrDigit(c) || (c >= 'A' && c <= 'Z'))) digits += c;
  return fmt::format("{}-{}.pem", name.empty() ? "certificate" : name, digits);
}

}  // namespace certpair::notify
