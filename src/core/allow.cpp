// R25: who may get which name.
#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

#include "base/utf8.hpp"
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

bool IsUnseenOrSeparates(char32_t c) {
  return c == '/' || c == ',' || c == '=' || c == '+' || IsUnseen(c);
}

// What a `*` may stand for.
bool IsPlain(std::string_view run) {
  while (!run.empty())
    if (IsUnseenOrSeparates(TakeCodePoint(run))) return false;
  return true;
}

// Between double quotes, so that YAML and JSON read the value back and a person sees all of it.
std::string Quote(std::string_view value) {
  std::string quoted = "\"";
  while (!value.empty()) {
    const std::string_view rest = value;
    const char32_t c = TakeCodePoint(value);
    if (c == '"' || c == '\\') {
      quoted += {'\\', static_cast<char>(c)};
    } else if (IsUnseen(c) && c <= 0xFFFF) {
      quoted += fmt::format("\\u{:04X}", static_cast<std::uint32_t>(c));
    } else {
      quoted += rest.substr(0, rest.size() - value.size());
    }
  }
  return quoted += '"';
}

std::string QuoteAll(const std::vector<std::string>& values) {
  std::string quoted;
  for (const std::string& value : values) quoted += (quoted.empty() ? "" : ", ") + Quote(value);
  return quoted;
}

bool IsPresent(std::string_view name, const Subject& subject) {
  return std::ranges::any_of(kAttributes, [&](const Attribute& attribute) {
    return attribute.name == name && !(subject.*attribute.values).empty();
  });
}

// The first attribute value that the rule does not let through: `organizations "X"`; or the first
// attribute that it misses.
std::optional<std::string> FirstMisfit(const AllowRule& rule, const Subject& subject) {
  if (!MatchesAny(rule.common_names, subject.common_name)) {
    return "commonName " + Quote(subject.common_name);
  }
  for (const Attribute& attribute : kAttributes) {
    for (const std::string& value : subject.*attribute.values) {
      if (!MatchesAny(rule.*attribute.patterns, value)) {
        return fmt::format("{} {}", attribute.name, Quote(value));
      }
    }
  }
  for (const std::string& name : rule.required) {
    if (!IsPresent(name, subject)) return fmt::format("certificate without {}", name);
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

// A pattern has no way to say a star that stands for itself.
std::string_view WithStar(const Subject& subject) {
  const auto has_star = [](const std::string& value) { return value.contains('*'); };
  if (has_star(subject.common_name)) return "commonName";
  for (const Attribute& attribute : kAttributes) {
    if (std::ranges::any_of(subject.*attribute.values, has_star)) return attribute.name;
  }
  return {};
}

// What to do: the narrowest rule that would let the subject through, as YAML in one line.
std::string Advice(const Subject& subject, const std::string& namespace_) {
  if (const std::string_view name = WithStar(subject); !name.empty()) {
    return fmt::format(
        "The subject's {} holds a \"*\", which no pattern matches literally: choose another value.",
        name);
  }
  std::string rule = fmt::format("{{namespaces: {{names: [{}]}}, commonNames: [{}]",
                                 Quote(namespace_), Quote(subject.common_name));
  for (const Attribute& attribute : kAttributes) {
    const auto& values = subject.*attribute.values;
    if (!values.empty()) rule += fmt::format(", {}: [{}]", attribute.name, QuoteAll(values));
  }
  return "To allow it, add to its spec.allow: " + rule + "}";
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
  if (first_star == last_star) return IsPlain(text);
  // Each piece between two stars where it comes first: what a later place would leave, the first
  // leaves too, and what a star may not stand for would be in the way there as well.
  std::string_view middle = pattern.substr(first_star + 1, last_star - first_star - 1);
  while (!middle.empty()) {
    const auto star = middle.find('*');
    const std::string_view piece = middle.substr(0, star);
    const auto at = text.find(piece);
    if (at == std::string_view::npos || !IsPlain(text.substr(0, at))) return false;
    text.remove_prefix(at + piece.size());
    middle = star == std::string_view::npos ? std::string_view{} : middle.substr(star + 1);
  }
  return IsPlain(text);
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
        "the system is checked again once they can. If that takes long, the operator lacks the "
        "right to list and watch namespaces, or the Namespace is too large to be read: the "
        "operator's /readyz says which",
        home);
  }
  return fmt::format("CertificateAuthority \"{}\" {}. {}", authority.name, why,
                     Advice(subject, home));
}

}  // namespace certpair::core
