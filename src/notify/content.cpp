#include "notify/content.hpp"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/log.hpp"
#include "core/recipient.hpp"
#include "notify/text.hpp"

namespace certpair::notify {
namespace {

using core::NoticeKind;

constexpr std::size_t kLongestName = 300;  // the CRD allows 256
constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kEnd = "-----END CERTIFICATE-----";

// The first certificate of a PEM text. Nothing else of the text leaves, above all no private key.
std::optional<std::string> PublicCertificate(std::string_view pem) {
  const std::size_t begin = pem.find(kBegin);
  if (begin == std::string_view::npos) return std::nullopt;
  const std::size_t end = pem.find(kEnd, begin);
  if (end == std::string_view::npos) return std::nullopt;
  return std::string{pem.substr(begin, end + kEnd.size() - begin)} + "\n";
}

class Writer {
 public:
  Writer(const core::Notice& notice, const std::string& cluster_name, sys_seconds now)
      : n_(notice),
        now_(now),
        cluster_(OneLine(cluster_name, kLongestName)),
        name_(core::WithoutLinks(OneLine(
            notice.display_name.empty() ? notice.system_name : notice.display_name, kLongestName))),
        commands_(Commands::Of(notice)) {}

  Content Write() {
    content_.subject =
        fmt::format("Outbound Certificate {}. {} System: {}",
                    n_.kind == NoticeKind::Renewed ? "Renewed" : "Expiration", Type(), name_);
    switch (n_.kind) {
      case NoticeKind::Expiring:
      case NoticeKind::Expired:
        WriteEnding();
        break;
      case NoticeKind::Failing:
        WriteFailing();
        break;
      case NoticeKind::Held:
        WriteHeld();
        break;
      case NoticeKind::Renewed:
        WriteRenewed();
        break;
    }
    Describe();
    content_.footer = fmt::format(
        "certpair sends this mail to the subscribers of {} System {} in the namespace {}{}. To "
        "unsubscribe, remove your entry from spec.notifications.subscribers.",
        Type(), System(), OneLine(n_.system_namespace), In(" of the cluster "));
    return std::move(content_);
  }

 private:
  [[nodiscard]] std::string Type() const { return std::string{core::ToString(n_.type)}; }
  [[nodiscard]] std::string System() const { return OneLine(n_.system_name); }
  [[nodiscard]] std::string In(std::string_view words) const {
    return cluster_.empty() ? "" : std::string{words} + cluster_;
  }
  [[nodiscard]] bool ByFingerprint() const {
    return n_.peer_matching == core::PeerMatching::Fingerprint;
  }
  [[nodiscard]] bool Ended(const core::Certificate& certificate) const {
    return now_ >= certificate.not_after;
  }
  // The other certificate can replace the active one, and expires later.
  [[nodiscard]] bool HasSuccessor() const {
    return n_.inactive && !Ended(*n_.inactive) && n_.inactive->not_after > n_.active.not_after;
  }
  [[nodiscard]] std::string Ends(const core::Certificate& certificate) const {
    return Ended(certificate)
               ? fmt::format("expired {} ago", DescribeRemaining(now_ - certificate.not_after))
               : fmt::format("expires in {}", DescribeRemaining(certificate.not_after - now_));
  }

  void Add(std::string paragraph) { content_.paragraphs.push_back(std::move(paragraph)); }
  // Text from another source: a person, or a server.
  void Quote(std::string_view words) {
    if (!words.empty()) Add(OneLine(log::Redact(words), 2000));
  }
  template <class... Asked>
  void Ask(std::string words, Asked... commands) {
    Step step{std::move(words), {}};
    if (commands_) (step.commands.push_back(commands(*commands_)), ...);
    content_.steps.push_back(std::move(step));
  }

  void WriteEnding() {
    const bool ended = Ended(n_.active);
    content_.tone = ended ? Tone::Alarm : Tone::Warn;
    content_.headline = fmt::format("The certificate of {} {}.", name_, Ends(n_.active));
    if (ended) {
      Add(fmt::format("It expired on {} and has not been replaced.",
                      FormatForPeople(n_.active.not_after)));
    } else {
      Add(fmt::format("It is valid until {} and is not renewed automatically.",
                      FormatForPeople(n_.active.not_after)));
    }
    Quote(n_.what_to_do);
    if (HasSuccessor()) {
      AskToHandOver("Send the inactive certificate to the owner of the peer:");
      AskToActivate(*n_.inactive);
      return;
    }
    if (n_.inactive) {
      Ask("Delete the inactive certificate: it does not last longer, and a system has at most two:",
          [this](const Commands& c) { return c.Delete(n_.inactive->fingerprint); });
    }
    Ask("Generate a new certificate:", [](const Commands& c) { return c.Generate(); });
    AskToHandOver("Send the new certificate to the owner of the peer:");
    AskToActivate();
    if (!n_.regeneration_enabled && !ByFingerprint()) {
      Ask("Or turn on automatic regeneration, which replaces the certificate now and later:",
          [](const Commands& c) { return c.TurnRegenerationOn(); });
    }
  }

  void AskToHandOver(std::string words) {
    Ask(std::move(words), [](const Commands& c) { return c.Download(false); });
  }
  void AskToActivate(const core::Certificate& certificate) {
    Ask("When the peer accepts it, activate it:",
        [&](const Commands& c) { return c.Activate(certificate.fingerprint); });
  }
  // A certificate that does not exist yet.
  void AskToActivate() {
    Ask("When the peer accepts it, activate it:",
        [](const Commands& c) { return c.ActivateInactive(); });
  }

  void WriteFailing() {
    content_.tone = Tone::Alarm;
    content_.headline =
        fmt::format("The certificate of {} {}, and its renewal fails.", name_, Ends(n_.active));
    Add(fmt::format(
        "Automatic regeneration is on, but it fails. {} {}.",
        Ended(n_.active) ? "The certificate was valid until" : "The certificate is valid until",
        FormatForPeople(n_.active.not_after)));
    if (!n_.why.empty()) Quote("Cause: " + n_.why);
    Quote(n_.what_to_do);
    Ask("Read the conditions of the system and remove the cause. Renewal then continues "
        "automatically:",
        [](const Commands& c) { return c.Describe(); });
  }

  void WriteHeld() {
    content_.tone = Tone::Ask;
    content_.headline =
        fmt::format("A new certificate of {} must be uploaded and activated.", name_);
    Add(fmt::format(
        "The peer accepts only the certificate that was uploaded there. The certificate in use {} "
        "({}), so a new certificate was issued. It is not in use yet.",
        Ends(n_.active), FormatForPeople(n_.active.not_after)));
    Quote(n_.what_to_do);
    if (!n_.inactive) return;
    AskToHandOver(Attach(*n_.inactive)
                      ? "Upload the attached certificate to the peer. To download it again:"
                      : "Upload the new certificate to the peer:");
    AskToActivate(*n_.inactive);
  }

  void WriteRenewed() {
    content_.tone = Tone::Good;
    content_.headline = fmt::format("{} has a new certificate.", name_);
    Add(fmt::format("It is now in use and valid until {}. {}", FormatForPeople(n_.active.not_after),
                    ByFingerprint()
                        ? "The peer accepts only the certificate that was uploaded there. If this "
                          "certificate is not uploaded yet, the connection fails until it is."
                        : "No action is needed for a peer that accepts any certificate of this "
                          "subject and issuer. A peer that compares fingerprints needs the new "
                          "certificate."));
    Quote(n_.what_to_do);
    const auto download = [](const Commands& c) { return c.Download(true); };
    if (Attach(n_.active))
      Ask("The public certificate is attached. To download it again:", download);
    else
      Ask("To download the public certificate:", download);
  }

  bool Attach(const core::Certificate& certificate) {
    auto pem = PublicCertificate(certificate.pem);
    if (!pem) return false;
    content_.attachment =
        Attachment{FileName(n_.system_name, certificate.fingerprint), std::move(*pem)};
    return true;
  }

  void Describe() {
    Section system{"System", {}};
    system.rows = {{"Display name", name_},
                   {"Type", Type()},
                   {"Namespace", OneLine(n_.system_namespace), true},
                   {"Name", System(), true}};
    if (!cluster_.empty()) system.rows.push_back({"Cluster", cluster_});
    system.rows.push_back({"Peer matches by", ByFingerprint() ? "fingerprint" : "subject, issuer"});
    system.rows.push_back({"Regeneration", n_.regeneration_enabled ? "automatic" : "by hand"});
    content_.sections.push_back(std::move(system));
    const bool inactive_first = n_.kind == NoticeKind::Held && n_.inactive;
    if (inactive_first) Describe("New certificate", "inactive", *n_.inactive);
    Describe(n_.kind == NoticeKind::Renewed ? "New certificate" : "Active certificate", "active",
             n_.active);
    if (n_.inactive && !inactive_first)
      Describe(n_.kind == NoticeKind::Renewed ? "Earlier certificate" : "Inactive certificate",
               "inactive", *n_.inactive);
  }

  void Describe(std::string title, std::string_view state, const core::Certificate& c) {
    const bool begins_later = now_ < c.not_before;
    const std::string_view valid = begins_later ? "not valid yet" : Ended(c) ? "expired" : "valid";
    content_.sections.push_back(
        {std::move(title),
         {{"State", fmt::format("{}, {}", state, valid)},
          {"Subject", OneLine(c.subject, 1000)},
          {"Issuer", OneLine(c.issuer, 1000)},
          {"Serial number", OneLine(c.serial_number), true},
          {"Key", fmt::format("{} {}", core::ToString(c.key.algorithm), c.key.size)},
          {"Valid from", FormatForPeople(c.not_before)},
          {"Valid until", fmt::format("{} ({})", FormatForPeople(c.not_after), Ends(c))},
          {"SHA-256", OneLine(c.fingerprint), true},
          {"SHA-1", OneLine(c.fingerprint_sha1), true}}});
  }

  const core::Notice& n_;
  const sys_seconds now_;
  const std::string cluster_;
  const std::string name_;
  const std::optional<Commands> commands_;
  Content content_;
};

}  // namespace

Content Write(const core::Notice& notice, const std::string& cluster_name, sys_seconds now) {
  return Writer{notice, cluster_name, now}.Write();
}

}  // namespace certpair::notify
