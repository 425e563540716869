// Errors of the API server, in words.
#include <fmt/format.h>

#include "reconcile/names.hpp"
#include "session.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

using actions::Attempt;
using kube::ApiErrorKind;

bool Reads(const Attempt& attempt) {
  return attempt.verb == "get" || attempt.verb == "list" || attempt.verb == "watch";
}

// Admission looks at writes alone, and answers them with 403 too where a policy or a webhook says
// so. An authorizer's no always comes in the API server's own words.
bool IsMissingRight(const kube::ApiError& error, const Attempt& attempt) {
  if (Reads(attempt)) return true;
  const std::size_t who = error.message.find("forbidden: User \"");
  return who != std::string::npos && error.message.find("\" cannot ", who) != std::string::npos;
}

// The smallest role that has the right: of config/roles.yaml, or Kubernetes' own for what all users
// who are logged in may do.
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
  const bool asks_who = attempt.resource.group == "authentication.k8s.io";
  return fmt::format(
      "you may not {} {}{}.\n  The role {} grants this right. Ask a cluster administrator to bind "
      "it to you{}.{}\n  The API server said: {}",
      attempt.verb, WhatOf(attempt), WhereOf(attempt), RoleFor(attempt),
      all                           ? ", or name a namespace with -n"
      : attempt.resource.namespaced ? " in that namespace"
                                    : " for the whole cluster",
      asks_who ? "\n  --email ADDRESS in place of --me does not need it." : "",
      Escaped(error.message));
}

Failure Refused(const kube::ApiError& error) {
  return {Exit::Refused, fmt::format("the API server refuses it: {}", Escaped(error.message))};
}

std::string Missing(const Session& session, const Attempt& attempt) {
  if (attempt.resource == reconcile::kSystems)
    return fmt::format("there is no {}.\n  `kubectl certpair list -n {}` lists the systems there",
                       SystemTitle({attempt.namespace_, attempt.name}),
                       ShellWord(attempt.namespace_));
  return fmt::format("there is no {} \"{}\"{} ({})", WhatOf(attempt), Escaped(attempt.name),
                     WhereOf(attempt), Escaped(session.context));
}

}  // namespace

std::string SystemTitle(const actions::SystemRef& system) {
  return fmt::format("system \"{}\" in namespace \"{}\"", Escaped(system.name),
                     Escaped(system.namespace_));
}

std::string Suggest(const std::string& namespace_, std::string_view words) {
  return fmt::format("  kubectl certpair -n {} {}", ShellWord(namespace_), words);
}

Failure Interrupted() { return {Exit::Interrupted, "interrupted"}; }

Failure Explain(const Session& session, const kube::ApiError& error, const Attempt& attempt) {
  const std::string said = Escaped(error.message);
  const std::string where = Escaped(session.context);
  switch (error.kind) {
    case ApiErrorKind::Forbidden:
      return IsMissingRight(error, attempt) ? Failure{Exit::Failed, MissingRight(error, attempt)}
                                            : Refused(error);
    case ApiErrorKind::NotFound:
      return {Exit::Failed, Missing(session, attempt)};
    case ApiErrorKind::NoSuchResource:
      return {Exit::Failed,
              fmt::format("this cluster does not know {}: certpair is not installed there ({}).\n"
                          "  Install its CRDs and the operator, or choose another --context",
                          WhatOf(attempt), where)};
    case ApiErrorKind::Unauthorized:
      return {Exit::Failed,
              fmt::format("the API server does not accept your login ({}). It may have expired.\n"
                          "  Log in again, or choose another --context",
                          where)};
    case ApiErrorKind::Transport:
      return {Exit::Failed,
              fmt::format("the API server cannot be reached ({}).\n  {}", where, said)};
    case ApiErrorKind::Timeout:
      return {Exit::TimedOut,
              fmt::format("the API server did not answer in time ({}). --request-timeout gives it "
                          "longer.\n  {}",
                          where, said)};
    case ApiErrorKind::Cancelled:
      return Interrupted();
    case ApiErrorKind::Invalid:
    case ApiErrorKind::QuotaExceeded:
      return Refused(error);
    case ApiErrorKind::Gone:
      return {Exit::Failed,
              fmt::format("the list changed too much while it was read. Try again.\n  {}", said)};
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
