// Names that stand in objects: kinds, labels, annotations, keys of a Secret. People and other
// programs rely on them.
#pragma once

#include <string>
#include <string_view>

#include "kube/client.hpp"

namespace certpair::reconcile {

inline constexpr std::string_view kGroup = "certpair.dev";
inline constexpr std::string_view kApiVersion = "certpair.dev/v1";

inline const kube::Resource kSystems{"certpair.dev", "v1", "provisioningsystems", true};
inline const kube::Resource kOperations{"certpair.dev", "v1", "certificateoperations", true};
inline const kube::Resource kAuthorities{"certpair.dev", "v1", "certificateauthorities", false};
inline const kube::Resource kSecrets{"", "v1", "secrets", true};
inline const kube::Resource kNamespaces{"", "v1", "namespaces", false};

inline constexpr std::string_view kManagedByLabel = "app.kubernetes.io/managed-by";
inline constexpr std::string_view kManagedBy = "certpair";
inline constexpr std::string_view kSystemLabel = "certpair.dev/system";
inline constexpr std::string_view kAuthorityLabel = "certpair.dev/authority";
inline constexpr std::string_view kSystemUidAnnotation = "certpair.dev/system-uid";
inline constexpr std::string_view kReceiptAnnotation = "certpair.dev/last-operation";
/// Names of the labels and annotations that spec.secret put on the Secret: `label:a annotation:b`.
inline constexpr std::string_view kTemplateAnnotation = "certpair.dev/secret-template";
inline constexpr std::string_view kTemplateLabelEntry = "label:";
inline constexpr std::string_view kTemplateAnnotationEntry = "annotation:";
inline constexpr std::string_view kOurPrefix = "certpair.dev/";
inline constexpr std::string_view kBudgetAnnotation = "certpair.dev/automatic-issuances";
/// On a CertificateOperation that has ended: core::FinishedMark.
inline constexpr std::string_view kFinishedAnnotation = "certpair.dev/finished";
/// What Velero puts on each object that it restores (its docs, "Restore Reference").
inline constexpr std::string_view kRestoreLabel = "velero.io/restore-name";
inline constexpr std::string_view kRenewedAnnotation = "certpair.dev/renewed";
/// What the PKCS#12 in the Secret was made of: `reconcile/keystore.hpp`.
inline constexpr std::string_view kKeystoreAnnotation = "certpair.dev/pkcs12";

/// The pair's Secret: the active slot under the names of kubernetes.io/tls, the inactive one beside
/// it.
struct SlotKeys {
  std::string_view certificate;
  std::string_view key;
  std::string_view authority;
};
inline constexpr SlotKeys kActiveKeys{"tls.crt", "tls.key", "ca.crt"};
inline constexpr SlotKeys kInactiveKeys{"inactive.crt", "inactive.key", "inactive-ca.crt"};

/// The active slot as PKCS#12, where the spec asks for it (R13).
inline constexpr std::string_view kKeystoreKey = "keystore.p12";

/// The Secret of a generated authority, in the operator's namespace.
inline constexpr std::string_view kGeneratedSecretPrefix = "certpair-ca-";
[[nodiscard]] inline std::string GeneratedSecretName(const std::string& authority) {
  return std::string{kGeneratedSecretPrefix} + authority;
}

/// The namespace of a key or an owner: `system:<namespace>/<name>`, `<namespace>/<name>`; empty for
/// what is of none, as `authority:<name>`.
[[nodiscard]] inline std::string NamespaceOf(std::string_view key) {
  const std::size_t slash = key.find('/');
  if (slash == std::string_view::npos) return {};
  const std::size_t colon = key.substr(0, slash).rfind(':');  // npos + 1 is 0
  return std::string{key.substr(colon + 1, slash - colon - 1)};
}

/// `namespace/name`.
[[nodiscard]] inline std::string ObjectKey(std::string_view namespace_, std::string_view name) {
  return std::string{namespace_} + "/" + std::string{name};
}

}  // namespace certpair::reconcile
