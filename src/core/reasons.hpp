// Every reason that certpair writes into a condition, an operation's result or an Event: one list,
// with its meaning. CamelCase, as the Kubernetes API conventions ask; machines may rely on the
// words, people read the message beside them.
#pragma once

#include <string_view>

namespace certpair::core {

/// The types of the conditions of a ProvisioningSystem, in the order in which they are written.
namespace condition {
inline constexpr std::string_view kReady = "Ready";
inline constexpr std::string_view kExpiringSoon = "ExpiringSoon";
inline constexpr std::string_view kAutomaticRegeneration = "AutomaticRegeneration";
inline constexpr std::string_view kInUse = "InUse";
/// Whether the subscribers were told what they asked to be told.
inline constexpr std::string_view kNotificationsDelivered = "NotificationsDelivered";
/// Whether keystore.p12 holds the active certificate; only where spec.secret.pkcs12 asks for it.
inline constexpr std::string_view kKeystoreWritten = "KeystoreWritten";
/// Whether the installation allows the labels and annotations of spec.secret; only where it has
/// some.
inline constexpr std::string_view kSecretMetadataAllowed = "SecretMetadataAllowed";
}  // namespace condition

namespace reason {

// docs/status.md is written from this list by scripts/documents: a line `// ## Title` begins a
// table, and each comment below is a row. It begins with the status of the condition. Which reasons
// are announced as Events stands in core/events.cpp.

// ## Ready
/// True: The active certificate is valid, and there is no problem.
inline constexpr std::string_view kValid = "Valid";
/// True: The active certificate is valid. It expires with its authority, sooner than `validity`
/// asks for (R22). Also an Event.
inline constexpr std::string_view kValidityClipped = "ValidityClipped";
/// True: The active certificate is valid. The authority has a new key, and signs the next
/// certificate with it (R24). An authority that renewed its certificate with the same key
/// leaves `Valid`. Also an Event.
inline constexpr std::string_view kAuthorityChanged = "AuthorityChanged";
/// True: The active certificate is valid. The inactive one in the Secret is damaged. Also an Event.
inline constexpr std::string_view kInactiveDamaged = "InactiveDamaged";
/// True: The active certificate is valid. The API server refuses to change the Secret's
/// `ownerReferences`, so `deletionPolicy` does not hold yet. The operator tries again every
/// hour. Also an Event.
inline constexpr std::string_view kOwnerNotChanged = "OwnerNotChanged";
/// True: The active certificate is valid. An admission policy changes a label or annotation that
/// the operator writes on the Secret. Operations can take longer. The operator writes it again
/// every hour. Also an Event.
inline constexpr std::string_view kMetadataNotKept = "MetadataNotKept";
/// False: The operator is making the first certificate. An RSA key takes a moment.
inline constexpr std::string_view kIssuing = "Issuing";
/// False: `issuance` is `Manual`, and no certificate has been generated yet.
inline constexpr std::string_view kWaitingForGenerate = "WaitingForGenerate";
/// False: The spec holds a value that this operator does not know and that another version of
/// the CRD let in. The message names the field. The Secret stays as it is until the field is
/// corrected. Also an Event.
inline constexpr std::string_view kInvalidSpec = "InvalidSpec";
/// False: The active certificate has expired. Also an Event.
inline constexpr std::string_view kExpired = "Expired";
/// False: The active certificate becomes valid later. A clock was wrong. Also an Event.
inline constexpr std::string_view kNotYetValid = "NotYetValid";
/// False: The active certificate or its key in the Secret was damaged. Also an Event.
inline constexpr std::string_view kSecretDamaged = "SecretDamaged";
/// False: A Secret of this name belongs to another owner. The operator does not change it
/// (R20). Also an Event.
inline constexpr std::string_view kSecretNotOurs = "SecretNotOurs";
/// False: An earlier system of this name retained the Secret, and this system's
/// `deletionPolicy` is `Delete`. With `Retain` it adopts the Secret (R20, R21). Also an Event.
inline constexpr std::string_view kSecretRetained = "SecretRetained";
/// False: The Secret of an earlier system of this name is still being removed.
inline constexpr std::string_view kWaitingForRemoval = "WaitingForRemoval";
/// True or False: The Secret is `immutable: true`, so the operator cannot change it. Also an Event.
inline constexpr std::string_view kSecretImmutable = "SecretImmutable";
/// False: The API server refused to store the Secret (quota, admission policy, missing right),
/// or could not store it for ten minutes. Also an Event.
inline constexpr std::string_view kSecretWriteFailed = "SecretWriteFailed";
/// False: The authority is ready but did not sign: its Secret cannot be read, or verifiers
/// would refuse a certificate with this subject. The message says which. Also an Event.
inline constexpr std::string_view kSigningFailed = "SigningFailed";

// ## Obstacles to issuing
/// False: The CertificateAuthority does not exist. The operator continues when it does. Also an
/// Event.
inline constexpr std::string_view kAuthorityNotFound = "AuthorityNotFound";
/// False: The CertificateAuthority cannot sign now. Its own Ready condition says why. Also an
/// Event.
inline constexpr std::string_view kAuthorityNotReady = "AuthorityNotReady";
/// False: The authority's `spec.allow` does not permit this subject in this namespace. The
/// message has the rule to add (R25). Also an Event.
inline constexpr std::string_view kNotAllowed = "NotAllowed";
/// False: The authority expires so soon that a new certificate would not outlast the present
/// one by a tenth of `validity` (R22). Also an Event.
inline constexpr std::string_view kAuthorityExpiresFirst = "AuthorityExpiresFirst";
/// False: Six certificates were issued automatically within one regeneration window (R27). The
/// operator tries again every hour. Generate is not counted. Also an Event.
inline constexpr std::string_view kIssuanceBudgetExceeded = "IssuanceBudgetExceeded";

// ## ExpiringSoon
/// False: No threshold of `warnBefore` has been reached.
inline constexpr std::string_view kNotYet = "NotYet";
/// False: `warnBefore` is empty.
inline constexpr std::string_view kWarningsOff = "WarningsOff";
/// False: There is no active certificate. On AutomaticRegeneration it is True: renewal starts
/// with the first certificate.
inline constexpr std::string_view kNoCertificate = "NoCertificate";
/// True: A threshold has passed. The certificate is renewed automatically.
inline constexpr std::string_view kWillBeRegenerated = "WillBeRegenerated";
/// True: A threshold has passed, and a person must act. The message says how.
inline constexpr std::string_view kActionNeeded = "ActionNeeded";

// ## AutomaticRegeneration
/// True: The certificate is renewed at the time in the message.
inline constexpr std::string_view kScheduled = "Scheduled";
/// True or False: The new certificate is inactive, and the peer matches by fingerprint: upload
/// it there, then activate it (R15). False while the operator is about to activate it and
/// cannot write the Secret.
inline constexpr std::string_view kWaitingForActivation = "WaitingForActivation";
/// True: The older certificate was activated again. Renewal waits for the last quarter of its
/// window (R6).
inline constexpr std::string_view kRolledBack = "RolledBack";
/// False: `automaticRegeneration.enabled` is false.
inline constexpr std::string_view kOff = "Off";
/// False: The spec asks for it, and this installation does not offer it
/// (`--automatic-regeneration=unsupported`, R18). Also an Event.
inline constexpr std::string_view kNotSupported = "NotSupported";

// ## InUse
/// True: The system authenticates with the active certificate (R17).
inline constexpr std::string_view kClientCertificate = "ClientCertificateAuthentication";
/// False: `spec.authentication` has another value. Certificates are managed all the same.
inline constexpr std::string_view kOtherAuthentication = "OtherAuthentication";

// ## KeystoreWritten
/// True: `keystore.p12` holds the active certificate, its key and its chain (R13).
inline constexpr std::string_view kCurrent = "Current";
/// False: The Secret or key that `passwordSecretRef` names does not exist or is empty. The
/// operator looks again within ten minutes. Also an Event.
inline constexpr std::string_view kPasswordMissing = "PasswordMissing";
/// False: The password cannot be read, is longer than 256 octets, or holds other characters
/// than printable ASCII, such as a newline at its end. The message says which. Also an Event.
inline constexpr std::string_view kPasswordUnusable = "PasswordUnusable";

// ## SecretMetadataAllowed
/// True: The installation allows all keys, and they are on the Secret.
inline constexpr std::string_view kAllowed = "Allowed";
/// False: The installation does not allow the keys in the message, and the Secret does not have
/// them. Remove them from `spec.secret`, or have them allowed (`--secret-metadata-allow`). Also an
/// Event.
inline constexpr std::string_view kKeyNotAllowed = "KeyNotAllowed";

// ## NotificationsDelivered
/// True: Every mail that was due was sent.
inline constexpr std::string_view kDelivered = "Delivered";
/// True: The last subscriber was removed.
inline constexpr std::string_view kNoSubscribers = "NoSubscribers";
/// Unknown: Mail is on its way to the mail server.
inline constexpr std::string_view kMailSending = "Sending";
/// False: The operator has no mail server. Subscribers get no mail.
inline constexpr std::string_view kMailNotConfigured = "MailNotConfigured";
/// False: The mail server cannot be reached, put mail off, or a rate is reached. The message
/// has the server's answer or names the rate. The operator tries again. Also an Event.
inline constexpr std::string_view kMailDelayed = "MailDelayed";
/// False: The mail server refused a recipient or a mail permanently. The message names the
/// subscriber. Other subscribers get their mail. Also an Event.
inline constexpr std::string_view kRecipientRefused = "RecipientRefused";
/// False: The mail was tried for four days. The operator does not try it again. Also an Event.
inline constexpr std::string_view kMailGivenUp = "MailGivenUp";

// ## CertificateOperation, Complete
/// True: A certificate was issued.
inline constexpr std::string_view kGenerated = "Generated";
/// True: The inactive certificate is now active.
inline constexpr std::string_view kActivated = "Activated";
/// True: The certificate was active already. Nothing was written.
inline constexpr std::string_view kAlreadyActive = "AlreadyActive";
/// True: The inactive certificate was deleted.
inline constexpr std::string_view kDeleted = "Deleted";
/// True: The operation ended before its status was lost, for example in a restore. It does not
/// run again. Also a reason of Failed.
inline constexpr std::string_view kFinishedEarlier = "FinishedEarlier";

// ## CertificateOperation, Failed
/// True: The system already has two certificates, the maximum.
inline constexpr std::string_view kLimitReached = "LimitReached";
/// True: The active certificate cannot be deleted.
inline constexpr std::string_view kCertificateActive = "CertificateActive";
/// True: The system has no certificate with this fingerprint.
inline constexpr std::string_view kUnknownFingerprint = "UnknownFingerprint";
/// True: The certificate to activate has expired.
inline constexpr std::string_view kCertificateExpired = "CertificateExpired";
/// True: The certificate to activate becomes valid later.
inline constexpr std::string_view kCertificateNotYetValid = "CertificateNotYetValid";
/// True: The certificate that the operation names is damaged.
inline constexpr std::string_view kCertificateDamaged = "CertificateDamaged";
/// True: No system of this name appeared within a minute.
inline constexpr std::string_view kSystemNotFound = "SystemNotFound";
/// True: The system is being deleted.
inline constexpr std::string_view kSystemBeingDeleted = "SystemBeingDeleted";
/// True: A backup tool restored the operation, and nothing says whether it had run.
inline constexpr std::string_view kRestoredFromBackup = "RestoredFromBackup";

// ## CertificateAuthority, Ready
/// True: The authority can sign.
inline constexpr std::string_view kUsable = "Usable";
/// False: The operator is making the CA's key pair.
inline constexpr std::string_view kGenerating = "Generating";
/// False: The Secret that the authority names does not exist.
inline constexpr std::string_view kSecretNotFound = "SecretNotFound";
/// False: The Secret of a generated CA is gone. The operator never replaces a CA silently
/// (R24).
inline constexpr std::string_view kSecretLost = "SecretLost";

// ## Events
/// A certificate was issued: the first one, or an inactive one.
inline constexpr std::string_view kCertificateIssued = "CertificateIssued";
/// The system adopted a pair that an earlier system or a restore left.
inline constexpr std::string_view kCertificateAdopted = "CertificateAdopted";
/// A new certificate is active. The previous one is now inactive, and a former inactive one was
/// deleted.
inline constexpr std::string_view kCertificateRegenerated = "CertificateRegenerated";
/// The inactive certificate is now active. The message names the operation.
inline constexpr std::string_view kCertificateActivated = "CertificateActivated";
/// The inactive certificate was deleted. The message names the operation.
inline constexpr std::string_view kCertificateDeleted = "CertificateDeleted";
/// The active certificate was removed from the Secret or damaged there, and not by the
/// operator.
inline constexpr std::string_view kCertificateLost = "CertificateLost";
/// A threshold of `warnBefore` has passed: once for each certificate and threshold (R9).
inline constexpr std::string_view kExpiringSoonEvent = "ExpiringSoon";
/// A CertificateOperation was refused. The message says which, and why.
inline constexpr std::string_view kOperationFailed = "OperationFailed";

}  // namespace reason
}  // namespace certpair::core
