#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/base64.hpp"
#include "base/secret_string.hpp"
#include "commands.hpp"
#include "file_writer.hpp"
#include "input.hpp"
#include "pem_text.hpp"
#include "reading.hpp"
#include "reconcile/json.hpp"
#include "reconcile/names.hpp"
#include "reconcile/secret_codec.hpp"
#include "text.hpp"
#include "x509/certificate.hpp"
#include "x509/pkcs12.hpp"

namespace certpair::plugin {
namespace {

using nlohmann::json;
using reconcile::json::At;
using reconcile::json::Text;
using Encoding = DownloadCommand::Encoding;
using Which = DownloadCommand::Which;

constexpr std::string_view kCertificate = "CERTIFICATE";

// One file's worth.
struct Piece {
  std::string suffix;   // of the file's name: `-active`
  std::string content;  // public
  SecretString secret;  // with a key in it: in place of `content`, or beside it as PEM
  bool secret_is_separate = false;
  [[nodiscard]] bool HasKey() const { return !secret.empty(); }
};

std::string_view ExtensionOf(Encoding encoding) {
  switch (encoding) {
    case Encoding::Der:
      return ".der";
    case Encoding::Pkcs12:
      return ".p12";
    case Encoding::Pem:
    case Encoding::Chain:
      break;
  }
  return ".pem";
}

// RFC 7468: base64 between the two lines.
Result<std::string> DerOf(const std::string& pem) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  const std::size_t begin = pem.find(kBegin);
  const std::size_t end = pem.find("-----END CERTIFICATE-----");
  if (begin == std::string::npos || end == std::string::npos || end < begin)
    return certpair::Fail(ErrorCode::Invalid, "status holds no PEM certificate");
  std::string digits;
  for (const char c : pem.substr(begin + kBegin.size(), end - begin - kBegin.size()))
    if (c != '\n' && c != '\r' && c != ' ') digits += c;
  auto der = DecodeBase64(digits);
  if (!der) return certpair::Fail(ErrorCode::Invalid, "the PEM certificate in status is damaged");
  return *der;
}

// What the server gave is printed or written as it is only where it is PEM and nothing else.
Outcome MustBePem(std::string_view text, std::string_view label, std::string_view what) {
  const auto checked = CheckPem(text, label);
  if (checked) return {};
  return Fail(Exit::Failed, fmt::format("{}: {}. Nothing of it was printed or written", what,
                                        checked.error().message));
}

Expected<std::vector<const CertificateView*>> Chosen(const SystemView& system, Which which) {
  std::vector<const CertificateView*> chosen;
  if (which != Which::Inactive && system.Active() != nullptr) chosen.push_back(system.Active());
  if (which != Which::Active && system.Inactive() != nullptr) chosen.push_back(system.Inactive());
  if (!chosen.empty()) return chosen;
  return Fail(Exit::Failed,
              fmt::format("{} has no {}certificate", SystemTitle(system.name, system.namespace_),
                          which == Which::Active     ? "active "
                          : which == Which::Inactive ? "inactive "
                                                     : ""));
}

Expected<reconcile::LiveSecret> ReadPair(const Session& session, const SystemView& system) {
  // A hostile status.secretName could lead elsewhere (`..`).
  if (!IsObjectName(system.secret))
    return Fail(Exit::Failed,
                fmt::format("{}: \"{}\" is not the name of a Secret",
                            SystemTitle(system.name, system.namespace_), Escaped(system.secret)));
  auto object =
      session.client.Get(reconcile::kSecrets, session.namespace_, system.secret, session.stop);
  if (!object)
    return std::unexpected(Explain(
        session, object.error(), {"get", reconcile::kSecrets, session.namespace_, system.secret}));
  return reconcile::DecodeSecret(*object);
}

Expected<SecretString> Password(const Session& session, const DownloadCommand& command) {
  if (!command.password_file.empty()) {
    auto text = ReadInput(command.password_file, session.stop);
    if (!text) return Fail(text.error().exit, "--password-file: " + text.error().message);
    const SecretString whole{std::move(*text)};
    return SecretString{Trimmed(whole.Reveal().substr(0, whole.Reveal().find('\n')))};
  }
  if (!session.console.ask)
    return Fail(Exit::Usage, "-o p12 wants a password: give --password-file");
  auto password = session.console.ask("Password of the key store: ", true);
  if (!password) return Fail(Exit::Interrupted, "interrupted");
  auto again = session.console.ask("Once more: ", true);
  SecretString first{std::move(*password)};
  if (!again) return Fail(Exit::Interrupted, "interrupted");
  const SecretString second{std::move(*again)};
  if (!(first == second)) return Fail(Exit::Failed, "the two passwords differ");
  return first;
}

// The chain above certificates, from the status of their authority: whoever may see the system
// needs no right to its Secret for it.
class AuthorityChain {
 public:
  AuthorityChain(const Session& session, const SystemView& system)
      : name_(Escaped(system.authority)) {
    auto object = session.client.Get(reconcile::kAuthorities, "", system.authority, session.stop);
    if (object)
      status_ = At(*object, "status");
    else
      why_not_ =
          Explain(session, object.error(), {"get", reconcile::kAuthorities, "", system.authority})
              .message;
  }

  /// PEM; or why it does not stand there, as a sentence.
  [[nodiscard]] std::expected<std::string, std::string> Above(
      const CertificateView& certificate) const {
    if (!why_not_.empty()) return std::unexpected(why_not_);
    std::string chain = Text(At(status_, "chain"));
    if (Text(At(status_, "fingerprint")) != certificate.issuer_fingerprint)
      return std::unexpected(
          fmt::format("it was signed with an earlier certificate of authority {}", name_));
    if (chain.empty())
      return std::unexpected(fmt::format("the status of authority {} has no chain yet", name_));
    const auto signer = x509::FingerprintOf(chain);
    if (!signer || *signer != certificate.issuer_fingerprint || !CheckPem(chain, kCertificate) ||
        !x509::CheckChain(certificate.pem, chain))
      return std::unexpected(
          fmt::format("the chain in the status of authority {} is not this certificate's", name_));
    return chain;
  }

 private:
  std::string name_;
  json status_;
  std::string why_not_;
};

std::string WhyNoChain(const CertificateView& certificate, const std::string& why) {
  return fmt::format("the chain above {} cannot be had from the authority: {}",
                     ShortFingerprint(certificate.fingerprint), why);
}

// Neither the authority nor the Secret told it.
Failure Neither(const Failure& authority, const Failure& secret) {
  return {secret.exit, fmt::format("{}.\nIt stands in the Secret too, but {}\n"
                                   "The certificate alone (-o pem) needs neither.",
                                   authority.message, secret.message)};
}

// What a slot of the Secret adds to the public certificate.
Expected<void> AddFromSecret(Piece& piece, const reconcile::LiveSecret& secret,
                             const CertificateView& certificate, const SystemView& system,
                             const DownloadCommand& command, const SecretString& password) {
  const bool active = &certificate == system.Active();
  const reconcile::SlotKeys& keys = active ? reconcile::kActiveKeys : reconcile::kInactiveKeys;
  const std::string_view pem = secret.Data(keys.certificate);
  // Between the two reads somebody may have changed the pair.
  if (pem.find(Trimmed(certificate.pem)) == std::string_view::npos)
    return Fail(Exit::Failed, "the pair was changed just now; try again");
  const std::string where = fmt::format("Secret \"{}\"", Escaped(system.secret));
  for (const std::string_view text : {pem, secret.Data(keys.authority)})
    if (auto good = text.empty() ? Outcome{} : MustBePem(text, kCertificate, where); !good)
      return good;
  if (auto good = MustBePem(secret.Data(keys.key), "PRIVATE KEY", where + ", the key"); !good)
    return good;
  if (command.encoding == Encoding::Pkcs12) {
    auto store = x509::EncodePkcs12(pem, secret.Data(keys.key), secret.Data(keys.authority),
                                    password, system.name);
    if (!store) return Fail(Exit::Failed, Escaped(store.error().message));
    piece.secret = std::move(*store);
    return {};
  }
  if (command.encoding == Encoding::Chain)
    piece.content = std::string{pem} + std::string{secret.Data(keys.authority)};
  if (command.key) {
    piece.secret = SecretString{std::string{secret.Data(keys.key)}};
    piece.secret_is_separate = true;
  }
  return {};
}

Expected<Piece> PublicPiece(const SystemView& system, const CertificateView& certificate,
                            Encoding encoding) {
  Piece piece;
  piece.suffix = &certificate == system.Active() ? "-active" : "-inactive";
  piece.content = certificate.pem;
  if (auto good = MustBePem(
          piece.content, kCertificate,
          fmt::format("{}, status.certificates, the {} certificate",
                      SystemTitle(system.name, system.namespace_), Escaped(certificate.state)));
      !good)
    return std::unexpected(good.error());
  if (encoding == Encoding::Der) {
    auto der = DerOf(certificate.pem);
    if (!der) return Fail(Exit::Failed, der.error().message);
    piece.content = std::move(*der);
  }
  return piece;
}

// The chain above each, from the authority; or why the Secret is needed.
Expected<void> AddChains(const Session& session, const SystemView& system,
                         const std::vector<const CertificateView*>& chosen,
                         std::vector<Piece>& pieces) {
  const AuthorityChain authority{session, system};
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const auto chain = authority.Above(*chosen[i]);
    if (!chain) return Fail(Exit::Failed, WhyNoChain(*chosen[i], chain.error()));
    pieces[i].content += *chain;
  }
  return {};
}

Expected<std::vector<Piece>> Pieces(const Session& session, const SystemView& system,
                                    const DownloadCommand& command) {
  const auto chosen = Chosen(system, command.which);
  if (!chosen) return std::unexpected(chosen.error());
  SecretString password;
  if (command.encoding == Encoding::Pkcs12) {
    auto given = Password(session, command);
    if (!given) return std::unexpected(given.error());
    password = std::move(*given);
  }
  std::vector<Piece> pieces;
  for (const CertificateView* certificate : *chosen) {
    auto piece = PublicPiece(system, *certificate, command.encoding);
    if (!piece) return std::unexpected(piece.error());
    pieces.push_back(std::move(*piece));
  }
  Expected<void> chains;
  if (command.encoding == Encoding::Chain && !command.key)
    chains = AddChains(session, system, *chosen, pieces);
  if (!command.key && chains) return pieces;
  const auto secret = ReadPair(session, system);
  if (!secret)
    return std::unexpected(chains ? secret.error() : Neither(chains.error(), secret.error()));
  if (!chains) session.console.Remark(chains.error().message + ". It was taken from the Secret.");
  for (std::size_t i = 0; i < pieces.size(); ++i)
    if (auto added = AddFromSecret(pieces[i], *secret, *(*chosen)[i], system, command, password);
        !added)
      return std::unexpected(added.error());
  return pieces;
}

Outcome ToOutput(const Session& session, const std::vector<Piece>& pieces,
                 const DownloadCommand& command) {
  const bool binary = command.encoding == Encoding::Der || command.encoding == Encoding::Pkcs12;
  const bool has_key = std::ranges::any_of(pieces, &Piece::HasKey);
  if (session.console.out_is_terminal && (has_key || binary))
    return Fail(Exit::Usage, fmt::format("{} is never written to a terminal: name a file with --to",
                                         has_key ? "a private key" : "a binary format"));
  if (binary && pieces.size() > 1)
    return Fail(Exit::Usage,
                "two certificates of a binary format want a folder: name it with --to");
  for (const Piece& piece : pieces) {
    if (!piece.HasKey() || piece.secret_is_separate) session.console.out(piece.content);
    if (piece.HasKey()) session.console.out(piece.secret.Reveal());
  }
  return {};
}

struct Target {
  std::filesystem::path path;
  std::string_view content;
};

// FILE for one certificate, FILE.key beside it for its key; in a folder NAME-active.pem and so on.
std::vector<Target> TargetsOf(const std::filesystem::path& to, bool folder,
                              const SystemView& system, const std::vector<Piece>& pieces,
                              Encoding encoding) {
  std::vector<Target> targets;
  for (const Piece& piece : pieces) {
    const std::filesystem::path path =
        folder ? to / (system.name + piece.suffix + std::string{ExtensionOf(encoding)}) : to;
    if (piece.HasKey()) {
      std::filesystem::path key_path = path;
      if (piece.secret_is_separate) key_path.replace_extension(".key");
      targets.push_back({std::move(key_path), piece.secret.Reveal()});
    }
    if (!piece.HasKey() || piece.secret_is_separate) targets.push_back({path, piece.content});
  }
  return targets;
}

// A key without its certificate, or the other way round, is worse than nothing.
Outcome CheckTargets(const std::vector<Target>& targets, bool force) {
  for (std::size_t i = 0; i < targets.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j)
      if (targets[i].path == targets[j].path)
        return Fail(Exit::Usage,
                    fmt::format("--to {}: the key goes to that file, beside its certificate; name "
                                "the certificate's, such as one that ends in .pem",
                                Escaped(targets[i].path.string())));
    if (auto may = MayBeReplaced(targets[i].path.string(), force); !may)
      return Fail(Exit::Failed, Escaped(may.error().message));
  }
  return {};
}

Result<void> WriteAll(const std::vector<Target>& targets, bool force) {
  std::vector<PrivateFile> files;
  files.reserve(targets.size());
  for (const Target& target : targets) {
    auto file = PrivateFile::Write(target.path.string(), target.content);
    if (!file) return std::unexpected(std::move(file.error()));
    files.push_back(std::move(*file));
  }
  for (PrivateFile& file : files) {
    auto placed = file.Place(force);
    if (placed) continue;
    std::ranges::for_each(files, &PrivateFile::TakeBack);
    return placed;
  }
  return {};
}

Outcome ToFiles(const Session& session, const SystemView& system, const std::vector<Piece>& pieces,
                const DownloadCommand& command) {
  std::error_code ignored;
  const bool folder = std::filesystem::is_directory(command.to, ignored);
  if (pieces.size() > 1 && !folder)
    return Fail(Exit::Usage, "--all makes two files: --to must name a folder that is there");
  const std::vector<Target> targets =
      TargetsOf(command.to, folder, system, pieces, command.encoding);
  if (auto good = CheckTargets(targets, command.force); !good) return good;
  if (auto written = WriteAll(targets, command.force); !written)
    return Fail(Exit::Failed, Escaped(written.error().message));
  for (const Target& target : targets)
    session.console.Remark("Written: " + Escaped(target.path.string()));
  return {};
}

}  // namespace

Outcome Download(const Session& session, const DownloadCommand& command) {
  auto found = ReadSystem(session, command.name);
  if (!found) return std::unexpected(std::move(found.error()));
  auto pieces = Pieces(session, found->view, command);
  if (!pieces) return std::unexpected(std::move(pieces.error()));
  const bool to_file = !command.to.empty() && command.to != "-";
  return to_file ? ToFiles(session, found->view, *pieces, command)
                 : ToOutput(session, *pieces, command);
}

}  // namespace certpair::plugin
