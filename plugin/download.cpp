// download: certificates, and with --key their keys, to files or standard output.
#include "download.hpp"

#include <algorithm>
#include <filesystem>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/secret_string.hpp"
#include "file_writer.hpp"
#include "input.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

using actions::Encoding;
using actions::Which;

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

Expected<SecretString> Password(const Session& session, const DownloadCommand& command) {
  if (!command.password_file.empty()) {
    auto text = ReadInput(command.password_file, session.stop);
    if (!text) return Fail(text.error().exit, "--password-file: " + text.error().message);
    const SecretString whole{std::move(*text)};
    return SecretString{Trimmed(whole.Reveal().substr(0, whole.Reveal().find('\n')))};
  }
  if (!session.console.ask)
    return Fail(Exit::Usage, "-o p12 needs a password: give --password-file");
  auto password = session.console.ask("Password of the key store: ", true);
  if (!password) return std::unexpected(Interrupted());
  auto again = session.console.ask("Once more: ", true);
  SecretString first{std::move(*password)};
  if (!again) return std::unexpected(Interrupted());
  const SecretString second{std::move(*again)};
  if (!(first == second)) return Fail(Exit::Failed, "the two passwords differ");
  return first;
}

Outcome ToOutput(const Session& session, const std::vector<actions::Piece>& pieces,
                 const DownloadCommand& command) {
  const bool binary = command.encoding == Encoding::Der || command.encoding == Encoding::Pkcs12;
  const bool has_key = std::ranges::any_of(pieces, &actions::Piece::HasKey);
  if (session.console.out_is_terminal && (has_key || binary))
    return Fail(Exit::Usage, fmt::format("{} is never written to a terminal: name a file with --to",
                                         has_key ? "a private key" : "a binary format"));
  if (binary && pieces.size() > 1)
    return Fail(Exit::Usage,
                "two certificates in a binary format need a folder: name it with --to");
  for (const actions::Piece& piece : pieces) {
    session.console.out(piece.content);
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
                              const actions::SystemView& system,
                              const std::vector<actions::Piece>& pieces, Encoding encoding) {
  std::vector<Target> targets;
  for (const actions::Piece& piece : pieces) {
    const std::filesystem::path path =
        folder ? to / (system.name + (piece.active ? "-active" : "-inactive") +
                       std::string{ExtensionOf(encoding)})
               : to;
    if (piece.HasKey()) {
      std::filesystem::path key_path = path;
      if (!piece.content.empty()) key_path.replace_extension(".key");
      targets.push_back({std::move(key_path), piece.secret.Reveal()});
    }
    if (!piece.content.empty()) targets.push_back({path, piece.content});
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

Outcome ToFiles(const Session& session, const actions::SystemView& system,
                const std::vector<actions::Piece>& pieces, const DownloadCommand& command) {
  std::error_code ignored;
  const bool folder = std::filesystem::is_directory(command.to, ignored);
  if (pieces.size() > 1 && !folder)
    return Fail(Exit::Usage, "--all makes two files: --to must name an existing folder");
  const std::vector<Target> targets =
      TargetsOf(command.to, folder, system, pieces, command.encoding);
  if (auto good = CheckTargets(targets, command.force); !good) return good;
  if (auto written = WriteAll(targets, command.force); !written)
    return Fail(Exit::Failed, Escaped(written.error().message));
  for (const Target& target : targets)
    session.console.Remark("Written: " + Escaped(target.path.string()));
  return {};
}

// What the flags say together.
std::optional<std::string> Settle(DownloadCommand& command) {
  if (command.active + command.inactive + command.all > 1)
    return "--active, --inactive and --all: give one of them";
  if (command.inactive) command.which = Which::Inactive;
  if (command.all) command.which = Which::All;
  if (command.encoding == Encoding::Pkcs12 && !command.key)
    return "-o p12 holds the private key: add --key to confirm that";
  if (command.encoding == Encoding::Der && command.key) return "--key needs -o pem, chain or p12";
  return std::nullopt;
}

std::optional<std::string> TakeEncoding(DownloadCommand& command, const std::string& text) {
  static const std::map<std::string, Encoding, std::less<>> kEncodings{{"", Encoding::Pem},
                                                                       {"pem", Encoding::Pem},
                                                                       {"der", Encoding::Der},
                                                                       {"p12", Encoding::Pkcs12},
                                                                       {"chain", Encoding::Chain}};
  const auto encoding = kEncodings.find(text);
  if (encoding == kEncodings.end())
    return fmt::format("-o {}: it must be one of pem, der, p12, chain", Escaped(text));
  command.encoding = encoding->second;
  return std::nullopt;
}

void Declare(Flags& flags, DownloadCommand& command) {
  AddName(flags, command.name);
  flags.Switch("--active", command.active, "the active one (default)");
  flags.Switch("--inactive", command.inactive, "the inactive one");
  flags.Switch("--all", command.all, "both");
  flags.Value("-o,--output", "pem (default), der, p12, or chain: with its issuers",
              {.words = {"pem", "der", "p12", "chain"}, .suggests_only = true},
              [&command](const std::string& text) { return TakeEncoding(command, text); });
  flags.Switch("--key", command.key, "the private key too");
  flags.Text("--to", command.to, "file or folder; else standard output",
             {.words = {}, .offers = Offers::Files});
  flags.Switch("--force", command.force, "overwrite an existing file");
  flags.Text("--password-file", command.password_file, "of -o p12: its first line is the password",
             {.words = {}, .offers = Offers::Files});
  flags.Check([&command] { return Settle(command); });
}

}  // namespace

Outcome Download(const Session& session, const DownloadCommand& command) {
  const actions::Session acting = Acting(session);
  const auto intent = actions::IntendDownload(acting, {.name = command.name,
                                                       .which = command.which,
                                                       .encoding = command.encoding,
                                                       .with_key = command.key});
  if (!intent) return std::unexpected(Explain(session, intent.error()));
  SecretString password;
  if (command.encoding == Encoding::Pkcs12) {
    auto given = Password(session, command);
    if (!given) return std::unexpected(std::move(given.error()));
    password = std::move(*given);
  }
  const auto downloaded = actions::Download(acting, *intent, password);
  if (!downloaded) return std::unexpected(Explain(session, downloaded.error()));
  if (downloaded->chain_from_secret)
    session.console.Remark(Explain(session, *downloaded->chain_from_secret).message +
                           ". It was taken from the Secret.");
  const bool to_file = !command.to.empty() && command.to != "-";
  return to_file ? ToFiles(session, intent->system, downloaded->pieces, command)
                 : ToOutput(session, downloaded->pieces, command);
}

extern const CommandEntry kDownload =
    EntryOf<DownloadCommand, &Declare, &Download>("download", "Write a certificate to a file");

}  // namespace certpair::plugin
