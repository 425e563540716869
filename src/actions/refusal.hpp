// Why an action was not done: one alternative for each reaction, with fields and without sentences.
// Texts in them are as the API server or an object has them: a program escapes what it shows.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "actions/liveness.hpp"
#include "actions/system_view.hpp"
#include "base/clock.hpp"
#include "kube/client.hpp"

namespace certpair::actions {

/// What was asked of the API server.
struct Attempt {
  std::string_view verb;  ///< get, list, watch, create, patch; a literal
  kube::Resource resource;
  std::string namespace_;
  std::string name;
};

/// The API server refused, failed or did not answer.
struct ApiProblem {
  kube::ApiError error;
  Attempt attempt;
};
/// Whether the same request may succeed later, where it was in order a moment ago.
[[nodiscard]] bool MayPass(kube::ApiErrorKind kind);

/// The user ended it. `operation`: what was made before, and goes on; may be empty.
struct Stopped {
  std::string operation;
};

// Answers that cannot be used.

/// The API server answered with another system.
struct AnotherSystem {
  SystemRef asked;
  SystemRef answered;
};
/// The API server's name for the operation that it made is not the name of an object.
struct BadOperationName {
  std::string name;
};
/// status.secretName is not the name of an object.
struct BadSecretName {
  SystemRef system;
  std::string name;
};
/// Something that should be PEM is not: `line` is the first that does not belong.
struct NotPem {
  enum class Where { Status, Secret, SecretKey };
  Where where = Where::Status;
  SystemRef system;
  std::string secret;  ///< its name, where it stands in one
  std::string state;   ///< of the certificate
  std::string why;     ///< of CheckPem; quotes nothing
};

// Rules of a pair.

/// It already has two certificates, the maximum. `inactive`: the one that could be deleted.
struct AlreadyTwo {
  SystemRef system;
  std::string inactive;
};
struct NoInactive {
  SystemRef system;
};
/// The active certificate cannot be deleted.
struct CannotDeleteActive {
  SystemRef system;
  std::string fingerprint;
};

// Operations.

/// Without an answer it is unknown whether the operation was made.
struct PerhapsMade {
  ApiProblem why;
};
/// The operation was made, and can no longer be looked at.
struct LostSight {
  ApiProblem why;
  std::string operation;
};
/// The operator refused it.
struct OperationRefused {
  std::string operation;
  std::string reason;
  std::string message;
};
/// It did not end in time. It stays.
struct NotInTime {
  std::string operation;
  seconds timeout{};
  std::optional<Liveness> silence;    ///< of the operator, if it was not seen
  std::optional<ApiProblem> trouble;  ///< of the last look
};
/// No operator runs. The operation stays.
struct NoOperator {
  std::string operation;
  Liveness liveness;
};

// Subscriptions.

struct NotAnAddress {
  std::string text;
};
/// An address to which no mail is sent.
struct NotMailable {
  std::string address;
  std::string_view why;  ///< core::WhyNotARecipient's
};
struct LinkInDisplayName {
  std::string display_name;
};
/// The API server knows the user by something that is not an address.
struct UserHasNoAddress {
  std::string username;
};
/// The entry belongs to another field manager, and has another display name.
struct EntryOfAnother {
  core::Subscriber entry;
};
/// Others change the list at each try.
struct ListKeepsChanging {};

// Downloads.

enum class Which { Active, Inactive, All };
struct NoCertificate {
  SystemRef system;
  Which which = Which::Active;
};
/// The pair changed between two reads.
struct PairChanged {};
/// Why the chain above a certificate cannot be had from its authority.
struct NoChain {
  enum class Why { Unreadable, EarlierAuthority, NotPublishedYet, OfAnother };
  Why why = Why::Unreadable;
  std::string authority;
  std::string fingerprint;            ///< of the certificate
  std::optional<ApiProblem> problem;  ///< of Unreadable
};
/// Neither the authority nor the Secret gave the chain.
struct NoChainAnywhere {
  NoChain authority;
  ApiProblem secret;
};
struct KeyStoreFailed {
  std::string message;
};

// Simulations.

struct UnknownSupposition {
  std::string text;
};
/// `auto` takes `on` and `off`.
struct BadSwitch {
  std::string value;
};
/// A parent of the field is not an object.
struct NotAnObject {
  std::string field;
  std::string found;  ///< the JSON type
};
/// The operator could not read the spec.
struct UnreadableSpec {
  std::string what;
};
/// The API server would refuse it: `before` must be shorter than `validity`.
struct BeforeNotShorter {
  seconds before{};
  seconds validity{};
};

using Refusal =
    std::variant<ApiProblem, Stopped, AnotherSystem, BadOperationName, BadSecretName, NotPem,
                 BadFingerprint, AlreadyTwo, NoInactive, CannotDeleteActive, PerhapsMade, LostSight,
                 OperationRefused, NotInTime, NoOperator, NotAnAddress, NotMailable,
                 LinkInDisplayName, UserHasNoAddress, EntryOfAnother, ListKeepsChanging,
                 NoCertificate, PairChanged, NoChain, NoChainAnywhere, KeyStoreFailed,
                 UnknownSupposition, BadSwitch, NotAnObject, UnreadableSpec, BeforeNotShorter>;

template <class T>
using OrRefusal = std::expected<T, Refusal>;

template <class R>
std::unexpected<Refusal> Refuse(R refusal) {
  return std::unexpected<Refusal>(Refusal{std::move(refusal)});
}

}  // namespace certpair::actions
