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

// Ready
/// True: the active certificate is valid, and nothing is wrong.
inline constexpr std::string_view kValid = "Valid";
/// True: the active certificate is valid, but ends with its authority, sooner than asked (R22).
inline constexpr std::string_view kValidityClipped = "ValidityClipped";
/// True: the authority has a new key; the next certificate comes from it (R24). Also an Event.
inline constexpr std::string_view kAuthorityChanged = "AuthorityChanged";
/// True: the inactive certificate is damaged; the active one is not touched by that.
inline constexpr std::string_view kInactiveDamaged = "InactiveDamaged";
/// False: a certificate is about to be made.
inline constexpr std::string_view kIssuing = "Issuing";
/// False: the spec holds a value that this operator cannot read, which another version of the
/// kind's schema let in; nothing is done until it is corrected. Also an Event.
inline constexpr std::string_view kInvalidSpec = "InvalidSpec";
/// False: `issuance: Manual`, and nobody has asked for a certificate yet.
inline constexpr std::string_view kWaitingForGenerate = "WaitingForGenerate";
/// False: the active certificate has ended. Also an Event.
inline constexpr std::string_view kExpired = "Expired";
/// False: the active certificate begins later than now (a clock is wrong).
inline constexpr std::string_view kNotYetValid = "NotYetValid";
/// False: the active certificate in the Secret is broken. Also an Event.
inline constexpr std::string_view kSecretDamaged = "SecretDamaged";
/// The Secret of that name belongs to something else, and is not touched (R20). Also an Event.
inline constexpr std::string_view kSecretNotOurs = "SecretNotOurs";
/// False: an earlier system of this name retained the Secret, and this one's deletionPolicy is
/// Delete: it is adopted only where it stays retained (R20, R21). Also an Event.
inline constexpr std::string_view kSecretRetained = "SecretRetained";
/// False: the Secret of an earlier system of this name is still being removed.
inline constexpr std::string_view kWaitingForRemoval = "WaitingForRemoval";
/// The Secret is immutable: it can be neither written nor mended. Also an Event.
inline constexpr std::string_view kSecretImmutable = "SecretImmutable";
/// The API server refused to store the Secret (quota, admission, permission).
inline constexpr std::string_view kSecretWriteFailed = "SecretWriteFailed";
/// Ready is True, but the API server refused to change the Secret's ownerReferences, so that
/// spec.secret.deletionPolicy does not hold yet.
inline constexpr std::string_view kOwnerNotChanged = "OwnerNotChanged";
/// The authority did not sign the certificate, though it is ready: its Secret cannot be read, or
/// verifiers would refuse a certificate with this subject.
inline constexpr std::string_view kSigningFailed = "SigningFailed";

// What keeps a certificate from being made: on Ready while there is none, on
// AutomaticRegeneration afterwards, and on a Generate that is refused.
/// There is no CertificateAuthority of that name.
inline constexpr std::string_view kAuthorityNotFound = "AuthorityNotFound";
/// The CertificateAuthority cannot sign at present; its own Ready condition says why.
inline constexpr std::string_view kAuthorityNotReady = "AuthorityNotReady";
/// The authority's `spec.allow` does not let this namespace have this name (R25). Also an Event.
inline constexpr std::string_view kNotAllowed = "NotAllowed";
/// The authority ends so soon that a new certificate would not outlast the present one by a tenth
/// of the validity (R22). Also an Event.
inline constexpr std::string_view kAuthorityExpiresFirst = "AuthorityExpiresFirst";
/// Six certificates were made automatically within one regeneration window (R27). Also an Event.
inline constexpr std::string_view kIssuanceBudgetExceeded = "IssuanceBudgetExceeded";

// ExpiringSoon
/// True: the active certificate nears its end and is regenerated in time by itself.
inline constexpr std::string_view kWillBeRegenerated = "WillBeRegenerated";
/// True: the active certificate nears its end and somebody must act.
inline constexpr std::string_view kActionNeeded = "ActionNeeded";
/// False: no threshold of `warnBefore` is reached.
inline constexpr std::string_view kNotYet = "NotYet";
/// False: `warnBefore` is empty.
inline constexpr std::string_view kWarningsOff = "WarningsOff";
/// No certificate is there to speak of.
inline constexpr std::string_view kNoCertificate = "NoCertificate";

// AutomaticRegeneration
/// True: it happens at the time that the message names.
inline constexpr std::string_view kScheduled = "Scheduled";
/// True: the new certificate is there, inactive; the peer matches by fingerprint and must know it
/// before it is activated (R15).
inline constexpr std::string_view kWaitingForActivation = "WaitingForActivation";
/// True: somebody went back to the older certificate; regeneration waits for the last quarter of
/// its window (R6).
inline constexpr std::string_view kRolledBack = "RolledBack";
/// False: `spec.automaticRegeneration.enabled` is off.
inline constexpr std::string_view kOff = "Off";
/// False: it is on, but this installation does not offer it (R18).
inline constexpr std::string_view kNotSupported = "NotSupported";

// InUse
/// True: the system authenticates with the certificate (R17).
inline constexpr std::string_view kClientCertificate = "ClientCertificateAuthentication";
/// False: the system authenticates in another way; certificates are managed all the same.
inline constexpr std::string_view kOtherAuthentication = "OtherAuthentication";

// Operations: Complete
/// A certificate was made.
inline constexpr std::string_view kGenerated = "Generated";
/// The inactive certificate became the active one.
inline constexpr std::string_view kActivated = "Activated";
/// It was active already; nothing was written.
inline constexpr std::string_view kAlreadyActive = "AlreadyActive";
/// The inactive certificate is gone.
inline constexpr std::string_view kDeleted = "Deleted";

// Operations: Failed
/// Two certificates are there already.
inline constexpr std::string_view kLimitReached = "LimitReached";
/// The active certificate cannot be deleted.
inline constexpr std::string_view kCertificateActive = "CertificateActive";
/// The system has no certificate of that fingerprint.
inline constexpr std::string_view kUnknownFingerprint = "UnknownFingerprint";
/// The certificate to activate has ended.
inline constexpr std::string_view kCertificateExpired = "CertificateExpired";
/// The certificate to activate begins later than now.
inline constexpr std::string_view kCertificateNotYetValid = "CertificateNotYetValid";
/// The certificate that the operation names is damaged.
inline constexpr std::string_view kCertificateDamaged = "CertificateDamaged";
/// No system of that name appeared within a minute.
inline constexpr std::string_view kSystemNotFound = "SystemNotFound";
/// Complete or Failed: it ended so before its status was lost, and does not run again.
inline constexpr std::string_view kFinishedEarlier = "FinishedEarlier";
/// A backup brought it back, and nothing says whether it had run.
inline constexpr std::string_view kRestoredFromBackup = "RestoredFromBackup";
/// The system is being deleted.
inline constexpr std::string_view kSystemBeingDeleted = "SystemBeingDeleted";

// NotificationsDelivered
/// False: somebody subscribed, and this operator sends no mail.
inline constexpr std::string_view kMailNotConfigured = "MailNotConfigured";
/// True: nobody is subscribed any more.
inline constexpr std::string_view kNoSubscribers = "NoSubscribers";
/// True: every mail that was due was sent.
inline constexpr std::string_view kDelivered = "Delivered";
/// Unknown: mails are on their way to the mail server.
inline constexpr std::string_view kMailSending = "Sending";
/// False: the mail server cannot be reached, or took nothing yet; it is tried again. Also an Event.
inline constexpr std::string_view kMailDelayed = "MailDelayed";
/// False: the mail server refused a recipient, or a mail, for good. Also an Event.
inline constexpr std::string_view kRecipientRefused = "RecipientRefused";
/// False: a mail was tried for days, and is not tried any more. Also an Event.
inline constexpr std::string_view kMailGivenUp = "MailGivenUp";

// KeystoreWritten
/// True: keystore.p12 holds the active certificate, its key and its chain (R13).
inline constexpr std::string_view kCurrent = "Current";
/// False: there is no such Secret or key, or nothing in it. Also an Event.
inline constexpr std::string_view kPasswordMissing = "PasswordMissing";
/// False: the password cannot be read, or no key store can have it. Also an Event.
inline constexpr std::string_view kPasswordUnusable = "PasswordUnusable";

// SecretMetadataAllowed
/// True: the installation allows each key.
inline constexpr std::string_view kAllowed = "Allowed";
/// False: at least one key is not allowed, and the Secret goes without it. Also an Event.
inline constexpr std::string_view kKeyNotAllowed = "KeyNotAllowed";

// Events
/// A certificate was made: the first one, or an inactive one.
inline constexpr std::string_view kCertificateIssued = "CertificateIssued";
/// A certificate that was there before certpair looked was taken over as the active one.
inline constexpr std::string_view kCertificateAdopted = "CertificateAdopted";
/// A new certificate is active; the one before it is inactive now.
inline constexpr std::string_view kCertificateRegenerated = "CertificateRegenerated";
/// The inactive certificate became the active one.
inline constexpr std::string_view kCertificateActivated = "CertificateActivated";
/// The inactive certificate is gone.
inline constexpr std::string_view kCertificateDeleted = "CertificateDeleted";
/// The active certificate vanished from the Secret, or was damaged there, by somebody else.
inline constexpr std::string_view kCertificateLost = "CertificateLost";
/// The active certificate nears its end; once a certificate and threshold (R9).
inline constexpr std::string_view kExpiringSoonEvent = "ExpiringSoon";
/// A CertificateOperation was refused.
inline constexpr std::string_view kOperationFailed = "OperationFailed";

// CertificateAuthority
/// Ready True: it can sign.
inline constexpr std::string_view kUsable = "Usable";
/// Ready False: the CA's key pair is about to be made.
inline constexpr std::string_view kGenerating = "Generating";
/// Ready False: the Secret that the authority names is not there.
inline constexpr std::string_view kSecretNotFound = "SecretNotFound";
/// Ready False: the Secret of a generated CA is gone; it is never replaced in silence (R24).
inline constexpr std::string_view kSecretLost = "SecretLost";

}  // namespace reason
}  // namespace certpair::core
