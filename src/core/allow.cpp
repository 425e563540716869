// R25: who may get which name.
#include <algorithm>

#include <fmt/format.h>

#include "core/authority.hpp"

namespace certpair::core {
namespace {

struct Attribute {
  std::string_view name;  // as in spec.allow
  const std::vector<std::string> Subject::* values;
  const std::vector<std::string> AllowRule::* patterns;
};
constexpr Attribute kAttributes[] = {
    {"organizations", &Subject::organizations, &AllowRule::organizations},
    {"organizationalUnits", &Subject::organizational_units, &AllowRule::organizational_units},
    {"countries", &Subject::countries, &AllowRule::countries},
    {"localities", &Subject::localities, &AllowRule::localities},
    {"provinces", &Subject::provinces, &AllowRule::provinces},
};

bool Holds(const LabelRequirement& requirement, const TextMap& labels) {
  const auto label = labels.find(requirement.key);
  const bool there = label != labels.end();
  const bool listed =
      there && std::ranges::find(requirement.values, label->second) != requirement.values.end();
  switch (requirement.op) {
    case LabelRequirement::Operator::In:
      return listed;
    case LabelRequirement::Operator::NotIn:
      return !listed;  // as in Kubernetes: also where the label is absent
    case LabelRequirement::Operator::Exists:
      return there;
    case LabelRequirement::Operator::DoesNotExist:
      return !there;
  }
  return false;
}

bool SelectsByName(const NamespaceSelection& selection, const std::string& name) {
  return selection.all || std::ranges::find(selection.names, name) != selection.names.end();
}

// Of a namespace that is not known no label is known to be absent: NotIn and DoesNotExist would let
// through whom they are to keep out.
bool Selects(const NamespaceSelection& selection, const SystemIdentity& system) {
  if (SelectsByName(selection, system.namespace_)) return true;
  return system.namespace_known && !selection.labels.empty() &&
         std::ranges::all_of(selection.labels,
                             [&](const auto& r) { return Holds(r, system.namespace_labels); });
}

bool MatchesAny(const std::vector<std::string>& patterns, std::string_view text) {
  return std::ranges::any_of(patterns, [&](const auto& p) { return MatchesPattern(p, text); });
}

// The first attribute value that the rule does not let through: `organizations "X"`.
std::optional<std::string> FirstMisfit(const AllowRule& rule, const Subject& subject) {
  if (!MatchesAny(rule.common_names, subject.common_name)) {
    return fmt::format("commonName \"{}\"", subject.common_name);
  }
  for (const Attribute& attribute : kAttributes) {
    for (const std::string& value : subject.*attribute.values) {
      if (!MatchesAny(rule.*attribute.patterns, value)) {
        return fmt::format("{} \"{}\"", attribute.name, value);
      }
    }
  }
  return std::nullopt;
}

// Whether the labels of the system's namespace, which are not known, would decide.
bool HangsOnLabels(const AuthorityView& authority, const Subject& subject,
                   const SystemIdentity& system) {
  return !system.namespace_known && std::ranges::any_of(authority.allow, [&](const auto& rule) {
    return !rule.namespaces.labels.empty() && !FirstMisfit(rule, subject);
  });
}

// The narrowest rule that would let the subject through, as YAML in one line.
std::string RuleFor(const Subject& subject, const std::string& namespace_) {
  std::string rule = fmt::format("{{namespaces: {{names: [\"{}\"]}}, commonNames: [\"{}\"]",
                                 namespace_, subject.common_name);
  for (const Attribute& attribute : kAttributes) {
    const auto& values = subject.*attribute.values;
    if (values.empty()) continue;
    rule += fmt::format(", {}: [\"{}\"]", attribute.name, fmt::join(values, "\", \""));
  }
  return rule + "}";
}

}  // namespace

bool MatchesPattern(std::string_view pattern, std::string_view text) {
  const auto first_star = pattern.find('*');
  if (first_star == std::string_view::npos) return pattern == text;
  const std::string_view head = pattern.substr(0, first_star);
  const auto last_star = pattern.rfind('*');
  const std::string_view tail = pattern.substr(last_star + 1);
  if (text.size() < head.size() + tail.size() || !text.starts_with(head) || !text.ends_with(tail)) {
    return false;
  }
  text = text.substr(head.size(), text.size() - head.size() - tail.size());
  if (first_star == last_star) return true;
  // Each piece between two stars where it comes first: what a later place would leave, the first
  // leaves too.
  std::string_view middle = pattern.substr(first_star + 1, last_star - first_star - 1);
  while (!middle.empty()) {
    const auto star = middle.find('*');
    const std::string_view piece = middle.substr(0, star);
    const auto at = text.find(piece);
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at + piece.size());
    middle = star == std::string_view::npos ? std::string_view{} : middle.substr(star + 1);
  }
  return true;
}

std::optional<std::string> WhyNotAllowed(const AuthorityView& authority, const Subject& subject,
                                         const SystemIdentity& system) {
  std::optional<std::string> misfit;
  for (const AllowRule& rule : authority.allow) {
    if (!Selects(rule.namespaces, system)) continue;
    auto found = FirstMisfit(rule, subject);
    if (!found) return std::nullopt;
    if (!misfit) misfit = std::move(found);
  }
  const std::string& home = system.namespace_;
  std::string why = misfit ? fmt::format("lets namespace \"{}\" have no {}", home, *misfit)
                           : fmt::format("lets namespace \"{}\" have no certificates", home);
  if (HangsOnLabels(authority, subject, system)) {
    why = fmt::format(
        "selects namespaces by their labels, and those of namespace \"{}\" cannot be read (yet): "
        "once they can, this system is looked at again; where that takes long, the operator lacks "
        "the right to list and watch namespaces, or the Namespace is too large to be read: the "
        "operator's /readyz says which",
        home);
  }
  return fmt::format("CertificateAuthority \"{}\" {}. To allow it, add to its spec.allow: {}",
                     authority.name, why, RuleFor(subject, home));
}

}  // namespace certpair::core
