// The certificates of a pair, and with an explicit `with_key` their keys: the only action that
// reads a private key, or a Secret for another reason than the chain.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "actions/reading.hpp"
#include "base/secret_string.hpp"

namespace certpair::actions {

enum class Encoding {
  Pem,     ///< the certificate
  Der,     ///< the same, binary; without the key
  Pkcs12,  ///< certificate, key and CA; needs `with_key` and a password
  Chain,   ///< PEM of the certificate and of those above it
};

struct DownloadRequest {
  std::string name;
  Which which = Which::Active;
  Encoding encoding = Encoding::Pem;
  bool with_key = false;
};

/// The system as it was read, whose certificates were chosen.
struct DownloadIntent {
  DownloadRequest request;
  SystemView system;
};
/// NoCertificate, or what ReadSystem refuses.
[[nodiscard]] OrRefusal<DownloadIntent> IntendDownload(const Session& session,
                                                       const DownloadRequest& request);

/// One certificate in the encoding that was asked for.
struct Piece {
  bool active = true;
  std::string content;  ///< public; empty with Pkcs12
  SecretString secret;  ///< PKCS#12, or the key as PEM; empty without `with_key`
  [[nodiscard]] bool HasKey() const { return !secret.empty(); }
};
struct Downloaded {
  std::vector<Piece> pieces;  ///< the active one first
  /// The chain was taken from the Secret, since the authority does not have it.
  std::optional<NoChain> chain_from_secret;
};
/// `password`: of Pkcs12. The chain comes from the authority's status where that has it, so that no
/// right to Secrets is needed. NotPem, NoChain, NoChainAnywhere, BadSecretName, PairChanged,
/// KeyStoreFailed.
[[nodiscard]] OrRefusal<Downloaded> Download(const Session& session, const DownloadIntent& intent,
                                             const SecretString& password);

}  // namespace certpair::actions
