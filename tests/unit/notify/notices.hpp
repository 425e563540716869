// Notices to compose mails of.
#pragma once

#include <string>

#include "core/notice.hpp"
#include "notify/message.hpp"

namespace certpair::notify {

inline constexpr sys_seconds kNow =
    std::chrono::sys_days{std::chrono::year{2026} / 11 / 24} + std::chrono::hours{10};

inline std::string HexPairs(char digit, int pairs) {
  std::string text;
  for (int n = 0; n < pairs; ++n) text += std::string{n == 0 ? "" : ":"} + digit + digit;
  return text;
}

/// Not a certificate, but framed like one: nothing in src/notify looks inside.
inline std::string SomePem(char letter) {
  return "-----BEGIN CERTIFICATE-----\n" + std::string(64, letter) + "\n" +
         std::string(20, letter) + "==\n-----END CERTIFICATE-----\n";
}

inline core::Certificate SomeCertificate(char digit, sys_seconds not_after) {
  return {.fingerprint = HexPairs(digit, 32),
          .fingerprint_sha1 = HexPairs(digit, 20),
          .subject = "CN=abap-prod,O=Example,C=DE",
          .issuer = "CN=Corporate CA,O=Example",
          .serial_number = "01:23:45:67:89:AB:CD:EF",
          .signature_algorithm = "sha256WithRSAEncryption",
          .key = {},
          .not_before = not_after - std::chrono::hours{8760},
          .not_after = not_after,
          .issuer_fingerprint = HexPairs('9', 32),
          .pem = SomePem(digit)};
}

inline core::Notice SomeNotice(core::NoticeKind kind = core::NoticeKind::Expiring,
                               const std::string& id = "0123456789abcdef0123456789abcdef") {
  using core::NoticeKind;
  core::Notice notice{.kind = kind,
                      .id = id,
                      .threshold = "336h",
                      .recipient = {"Identity team", "idm@example.com"},
                      .system_namespace = "idm",
                      .system_name = "abap-prod",
                      .system_uid = "5f0c8d3e-6a60-4b55-8c0f-6f6f0a5f3c11",
                      .display_name = "ABAP Production",
                      .active = SomeCertificate('A', kNow + std::chrono::days{14}),
                      .inactive = std::nullopt,
                      .why = {},
                      .what_to_do = {},
                      .decided_at = kNow};
  if (kind == NoticeKind::Expired) notice.active.not_after = kNow - std::chrono::days{2};
  if (kind == NoticeKind::Failing) {
    notice.regeneration_enabled = true;
    notice.why = "CertificateAuthority \"corporate-ca\" cannot sign: its Secret is not there.";
  }
  if (kind == NoticeKind::Held) {
    notice.regeneration_enabled = true;
    notice.peer_matching = core::PeerMatching::Fingerprint;
    notice.inactive = SomeCertificate('C', kNow + std::chrono::days{379});
    notice.what_to_do = "Else it is activated on 2026-12-08T09:55:00Z.";
  }
  if (kind == NoticeKind::Renewed) {
    notice.regeneration_enabled = true;
    notice.inactive = notice.active;
    notice.active = SomeCertificate('B', kNow + std::chrono::days{365});
  }
  return notice;
}

inline Letterhead SomeLetterhead() {
  return {.from = {.name = "certpair", .address = {.local = "certpair", .domain = "example.com"}},
          .cluster_name = "prod-eu"};
}

}  // namespace certpair::notify
