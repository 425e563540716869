#include <fmt/format.h>

#include "reconcile/names.hpp"
#include "session.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

using kube::ApiErrorKind;

bool Reads(const Attempt& attempt) {
  return attempt.verb == "get" || attempt.verb == "list" || attempt.verb == "watch";
}

// Admission looks at writes alone, and answers them with 403 too where a policy or a webhook says
// so. An authorizer's no always reaches us in the API server's own words.
bool IsMissingRight(const kube::ApiError& error, const Attempt& attempt) {
  if (Reads(attempt)) return true;
  const std::size_t who = error.message.find("forbidden: User \"");
  return who != std::string::npos && error.message.find("\" cannot ", who) != std::string::npos;
}

// The roles of config/roles.yaml, and Kubernetes' own for what everybody who is logged in may do:
// the smallest one that has the right.
std::string_view RoleFor(const Attempt& attempt) {
  if (attempt.resource.group == "authentication.k8s.io") return "system:basic-user";
  if (attempt.resource.plural == "secrets") return "certpair-admin";
  if (attempt.resource == reconcile::kAuthorities && attempt.verb == "get")
    return "certpair-authority-viewer";
  if (Reads(attempt)) return "certpair-viewer";
  if (attempt.resource == reconcile::kOperations) return "certpair-operator";
  return attempt.verb == "patch" ? "certpair-operator" : "certpair-admin";
}

std::string WhereOf(const Attempt& attempt) {
  if (!attempt.resource.namespaced) return " in the cluster";
  if (attempt.namespace_.empty()) return " in all namespaces";
  return fmt::format(" in namespace \"{}\"", Escaped(attempt.namespace_));
}

std::string WhatOf(const Attempt& attempt) {
  const std::string group =
      attempt.resource.group.empty() ? "" : fmt::format(".{}", attempt.resource.group);
  return fmt::format("{}{}", attempt.resource.plural, group);
}

std::string MissingRight(const kube::ApiError& error, const Attempt& attempt) {
  const bool all = attempt.resource.namespaced && attempt.namespace_.empty();
  return fmt::format(
      "you may not {} {}{}.\n  The role {} has this right; somebody who may bind roles can give it "
      "to you{}.\n  The API server said: {}",
      attempt.verb, WhatOf(attempt), WhereOf(attempt), RoleFor(attempt),
      all                           ? ", or name a namespace with -n"
      : attempt.resource.namespaced ? " in that namespace"
                                    : " for the whole cluster",
      Escaped(error.message));
}

Failure Refused(const kube::ApiError& error) {
  return {Exit::Refused, fmt::format("the API server refuses it: {}", Escaped(error.message))};
}

std::string NotThere(const Session& session, const Attempt& attempt) {
  if (attempt.resource == reconcile::kSystems)
    return fmt::format(
        "there is no {}.\n  `kubectl certpair list -n {}` shows those that are there",
        SystemTitle(attempt.name, attempt.namespace_), ShellWord(attempt.namespace_));
  return fmt::format("there is no {} \"{}\"{} ({})", WhatOf(attempt), Escaped(attempt.name),
                     WhereOf(attempt), Escaped(session.context));
}

}  // namespace

bool MayPass(kube::ApiErrorKind kind) {
  return kind == ApiErrorKind::Transport || kind == ApiErrorKind::Timeout ||
         kind == ApiErrorKind::Server || kind == ApiErrorKind::Throttled;
}

std::string SystemTitle(const std::string& name, const std::string& namespace_) {
  return fmt::format("system \"{}\" in namespace \"{}\"", Escaped(name), Escaped(namespace_));
}

Failure Explain(const Session& session, const kube::ApiError& error, const Attempt& attempt) {
  const std::string said = Escaped(error.message);
  switch (error.kind) {
    case ApiErrorKind::Forbidden:
      return IsMissingRight(error, attempt) ? Failure{Exit::Failed, MissingRight(error, attempt)}
                                            : Refused(error);
    case ApiErrorKind::NotFound:
      return {Exit::Failed, NotThere(session, attempt)};
    case ApiErrorKind::NoSuchResource:
      return {Exit::Failed,
              fmt::format("this cluster does not know {}: certpair is not installed there ({}).\n"
                          "  Install its CRDs and the operator, or choose another --context",
                          WhatOf(attempt), Escaped(session.context))};
    case ApiErrorKind::Unauthorized:
      return {Exit::Failed,
              fmt::format("the API server does not accept your login ({}): it may have expired.\n"
                          "  Log in again, or choose another --context",
                          Escaped(session.context))};
    case ApiErrorKind::Transport:
      return {Exit::Failed, fmt::format("the API server cannot be reached ({}).\n  {}",
                                        Escaped(session.context), said)};
    case ApiErrorKind::Timeout:
      return {Exit::TimedOut,
              fmt::format("the API server did not answer in time ({}); --request-timeout gives it "
                          "longer.\n  {}",
                          Escaped(session.context), said)};
    case ApiErrorKind::Cancelled:
      return {Exit::Interrupted, "interrupted"};
    case ApiErrorKind::Invalid:
    case ApiErrorKind::QuotaExceeded:
      return Refused(error);
    case ApiErrorKind::Gone:
      return {Exit::Failed,
              fmt::format("the list changed too much while it was read; try again.\n  {}", said)};
    case ApiErrorKind::Conflict:
    case ApiErrorKind::AlreadyExists:
    case ApiErrorKind::Throttled:
    case ApiErrorKind::Server:
    case ApiErrorKind::TooLarge:
    case ApiErrorKind::Protocol:
      break;
  }
  return {Exit::Failed, said};
}

}  // namespace certpair::plugin
