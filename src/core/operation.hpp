// A CertificateOperation as the domain sees it, and the receipt that makes its effect exactly once.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace certpair::core {

enum class OperationAction { Generate, Activate, Delete };

/// In an operation's own annotation `certpair.dev/finished`: how the operation of this name ended.
/// A backup brings back metadata, but neither status nor generateName: this says that it is done.
struct FinishedMark {
  std::string uid;  ///< of the operation that ended: another one's, if this object was restored
  bool succeeded = false;
  bool name_was_generated = false;
  friend bool operator==(const FinishedMark&, const FinishedMark&) = default;
};

struct Operation {
  std::string uid;
  std::string name;
  sys_seconds created;
  OperationAction action = OperationAction::Generate;
  std::string fingerprint;  ///< canonical; empty for Generate
  std::optional<seconds> ttl_after_finished;
  bool name_was_generated =
      false;  ///< metadata.generateName is set: it may be removed after its TTL
  bool being_deleted = false;
  bool finished = false;  ///< Complete or Failed is True
  bool succeeded = false;
  std::optional<sys_seconds> completed_at;
  /// What the annotation says; nothing where it speaks of an operation of another name.
  std::optional<FinishedMark> mark;
  bool restored = false;  ///< a backup tool says that it made this object
  friend bool operator==(const Operation&, const Operation&) = default;
};

/// In the Secret's annotation `certpair.dev/last-operation`: written with the effect, kept by
/// automatic writes.
struct Receipt {
  std::string operation_uid;
  OperationAction action = OperationAction::Generate;
  std::string fingerprint;  ///< of the outcome: made, activated or deleted
  /// Activate: of the certificate that gave way; else empty. It tells a rollback (R6) from an
  /// activation after which another certificate was made.
  std::string replaced;
  friend bool operator==(const Receipt&, const Receipt&) = default;
};

/// What becomes of an operation in this pass.
struct OperationVerdict {
  enum class Kind {
    Complete,  ///< write its terminal status: it is done
    Fail,      ///< write its terminal status: it was refused
    Remove,    ///< delete the finished object: its TTL is over
    Mark,      ///< write the FinishedMark of an operation that has its terminal status
  };
  Kind kind = Kind::Complete;
  std::string uid;
  std::string name;
  std::string reason;   ///< CamelCase: Generated, Activated, AlreadyActive, Deleted, LimitReached,
                        ///< CertificateActive, …
  std::string message;  ///< for a person
  std::string fingerprint;
  friend bool operator==(const OperationVerdict&, const OperationVerdict&) = default;
};

[[nodiscard]] std::string_view ToString(OperationAction action);

/// `uid/action/fingerprint` or, where one was replaced, `uid/action/fingerprint/replaced`: the
/// annotation's text, and back; nothing for anything else.
[[nodiscard]] std::string FormatReceipt(const Receipt& receipt);
[[nodiscard]] std::optional<Receipt> ParseReceipt(std::string_view text);

/// `name/uid/Complete/generated`, or with `Failed` and `named`: the annotation's text, and back;
/// nothing for anything else, or for an operation of another name than `name`.
[[nodiscard]] std::string FormatFinishedMark(const std::string& name, const FinishedMark& mark);
[[nodiscard]] std::optional<FinishedMark> ParseFinishedMark(std::string_view text,
                                                            std::string_view name);

/// An operation whose system does not exist: waits a minute from its creation, then fails
/// (SystemNotFound); one that is finished is removed after its TTL. Pure.
struct OrphanDecision {
  std::optional<OperationVerdict> verdict;
  std::optional<sys_seconds> wake_at;
};
[[nodiscard]] OrphanDecision DecideOrphan(const Operation& operation,
                                          const std::string& system_name, sys_seconds now);

}  // namespace certpair::core
