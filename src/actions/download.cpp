#include "actions/download.hpp"

#include <algorithm>

#include "actions/object_name.hpp"
#include "actions/pem_text.hpp"
#include "base/base64.hpp"
#include "reconcile/json.hpp"
#include "reconcile/names.hpp"
#include "reconcile/secret_codec.hpp"
#include "x509/certificate.hpp"
#include "x509/pkcs12.hpp"

namespace certpair::actions {
namespace {

using nlohmann::json;
using reconcile::json::At;
using reconcile::json::Text;

constexpr std::string_view kCertificate = "CERTIFICATE";

std::string_view WithoutSpaceAtEnds(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::vector<const CertificateView*> Chosen(const SystemView& system, Which which) {
  std::vector<const CertificateView*> chosen;
  if (which != Which::Inactive && system.Active() != nullptr) chosen.push_back(system.Active());
  if (which != Which::Active && system.Inactive() != nullptr) chosen.push_back(system.Inactive());
  return chosen;
}

// What the server gave goes on as it is only where it is PEM and nothing else.
OrRefusal<void> MustBePem(std::string_view text, std::string_view label, NotPem otherwise) {
  auto checked = CheckPem(text, label);
  if (checked) return {};
  otherwise.why = std::move(checked.error().message);
  return Refuse(std::move(otherwise));
}

// RFC 7468: base64 between the two lines. `pem` has passed CheckPem.
std::optional<std::string> DerOf(std::string_view pem) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  const std::size_t begin = pem.find(kBegin);
  const std::size_t end = pem.find("-----END CERTIFICATE-----");
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin)
    return std::nullopt;
  std::string digits{pem.substr(begin + kBegin.size(), end - begin - kBegin.size())};
  std::erase_if(digits, [](char c) { return c == '\n' || c == '\r' || c == ' '; });
  auto der = DecodeBase64(digits);
  if (!der) return std::nullopt;
  return std::move(*der);
}

OrRefusal<Piece> PublicPiece(const SystemView& system, const CertificateView& certificate,
                             Encoding encoding) {
  Piece piece;
  piece.active = &certificate == system.Active();
  NotPem not_pem{.where = NotPem::Where::Status,
                 .system = RefOf(system),
                 .secret = {},
                 .state = certificate.state,
                 .why = {}};
  if (auto good = MustBePem(certificate.pem, kCertificate, not_pem); !good)
    return std::unexpected(std::move(good.error()));
  piece.content = certificate.pem;
  if (encoding == Encoding::Der) {
    auto der = DerOf(certificate.pem);
    not_pem.why = "its base64 is damaged";
    if (!der) return Refuse(std::move(not_pem));
    piece.content = std::move(*der);
  }
  return piece;
}

// The chain above certificates, from the status of their authority.
class AuthorityChain {
 public:
  AuthorityChain(const Session& session, const SystemView& system) : name_(system.authority) {
    auto object = session.client.Get(reconcile::kAuthorities, "", name_, session.stop);
    if (object)
      status_ = At(*object, "status");
    else
      problem_ = ApiProblem{std::move(object.error()), {"get", reconcile::kAuthorities, "", name_}};
  }

  [[nodiscard]] std::expected<std::string, NoChain> Above(
      const CertificateView& certificate) const {
    using Why = NoChain::Why;
    const auto none = [&](Why why) {
      return std::unexpected(NoChain{.why = why,
                                     .authority = name_,
                                     .fingerprint = certificate.fingerprint,
                                     .problem = problem_});
    };
    if (problem_) return none(Why::Unreadable);
    std::string chain = Text(At(status_, "chain"));
    if (Text(At(status_, "fingerprint")) != certificate.issuer_fingerprint)
      return none(Why::EarlierAuthority);
    if (chain.empty()) return none(Why::NotPublishedYet);
    const auto signer = x509::FingerprintOf(chain);
    if (!signer || *signer != certificate.issuer_fingerprint || !CheckPem(chain, kCertificate) ||
        !x509::CheckChain(certificate.pem, chain))
      return none(Why::OfAnother);
    return chain;
  }

 private:
  std::string name_;
  json status_;
  std::optional<ApiProblem> problem_;
};

// Appends to each piece the chain above it; the first that cannot be had from the authority.
std::optional<NoChain> AddChains(const Session& session, const SystemView& system,
                                 const std::vector<const CertificateView*>& chosen,
                                 std::vector<Piece>& pieces) {
  const AuthorityChain authority{session, system};
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    auto chain = authority.Above(*chosen[i]);
    if (!chain) return std::move(chain.error());
    pieces[i].content += *chain;
  }
  return std::nullopt;
}

OrRefusal<reconcile::LiveSecret> ReadPair(const Session& session, const SystemView& system) {
  // A hostile status.secretName could lead elsewhere (`..`).
  if (!IsObjectName(system.secret)) return Refuse(BadSecretName{RefOf(system), system.secret});
  auto object =
      session.client.Get(reconcile::kSecrets, session.namespace_, system.secret, session.stop);
  if (!object)
    return Refuse(ApiProblem{std::move(object.error()),
                             {"get", reconcile::kSecrets, session.namespace_, system.secret}});
  return reconcile::DecodeSecret(*object);
}

// What a slot of the Secret adds to the public certificate.
OrRefusal<void> AddFromSecret(Piece& piece, const reconcile::LiveSecret& secret,
                              const CertificateView& certificate, const DownloadIntent& intent,
                              const SecretString& password) {
  const reconcile::SlotKeys& keys =
      piece.active ? reconcile::kActiveKeys : reconcile::kInactiveKeys;
  const std::string_view pem = secret.Data(keys.certificate);
  if (pem.find(WithoutSpaceAtEnds(certificate.pem)) == std::string_view::npos)
    return Refuse(PairChanged{});
  NotPem not_pem{.where = NotPem::Where::Secret,
                 .system = RefOf(intent.system),
                 .secret = intent.system.secret,
                 .state = certificate.state,
                 .why = {}};
  for (const std::string_view text : {pem, secret.Data(keys.authority)})
    if (auto good = text.empty() ? OrRefusal<void>{} : MustBePem(text, kCertificate, not_pem);
        !good)
      return good;
  if (intent.request.with_key) {
    not_pem.where = NotPem::Where::SecretKey;
    if (auto good = MustBePem(secret.Data(keys.key), "PRIVATE KEY", not_pem); !good) return good;
  }
  if (intent.request.encoding == Encoding::Pkcs12) {
    auto store = x509::EncodePkcs12(pem, secret.Data(keys.key), secret.Data(keys.authority),
                                    password, intent.system.name);
    if (!store) return Refuse(KeyStoreFailed{std::move(store.error().message)});
    piece.secret = std::move(*store);
    piece.content.clear();
    return {};
  }
  if (intent.request.encoding == Encoding::Chain)
    piece.content = std::string{pem} + std::string{secret.Data(keys.authority)};
  if (intent.request.with_key) piece.secret = SecretString{std::string{secret.Data(keys.key)}};
  return {};
}

}  // namespace

OrRefusal<DownloadIntent> IntendDownload(const Session& session, const DownloadRequest& request) {
  auto found = ReadSystem(session, request.name);
  if (!found) return std::unexpected(std::move(found.error()));
  if (Chosen(found->view, request.which).empty())
    return Refuse(NoCertificate{RefOf(found->view), request.which});
  return DownloadIntent{request, std::move(found->view)};
}

OrRefusal<Downloaded> Download(const Session& session, const DownloadIntent& intent,
                               const SecretString& password) {
  const auto chosen = Chosen(intent.system, intent.request.which);
  Downloaded downloaded;
  for (const CertificateView* certificate : chosen) {
    auto piece = PublicPiece(intent.system, *certificate, intent.request.encoding);
    if (!piece) return std::unexpected(std::move(piece.error()));
    downloaded.pieces.push_back(std::move(*piece));
  }
  if (intent.request.encoding == Encoding::Chain && !intent.request.with_key)
    downloaded.chain_from_secret = AddChains(session, intent.system, chosen, downloaded.pieces);
  if (!intent.request.with_key && !downloaded.chain_from_secret) return downloaded;
  const auto secret = ReadPair(session, intent.system);
  if (!secret) {
    const auto* problem = std::get_if<ApiProblem>(&secret.error());
    if (downloaded.chain_from_secret && problem != nullptr)
      return Refuse(NoChainAnywhere{*downloaded.chain_from_secret, *problem});
    return std::unexpected(secret.error());
  }
  for (std::size_t i = 0; i < chosen.size(); ++i)
    if (auto added = AddFromSecret(downloaded.pieces[i], *secret, *chosen[i], intent, password);
        !added)
      return std::unexpected(std::move(added.error()));
  return downloaded;
}

}  // namespace certpair::actions
