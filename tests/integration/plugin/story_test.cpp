// Through the plugin alone, as a newcomer: a certificate is replaced by hand at an nginx that knows
// certificates by their fingerprint, while it is called ten times a second.
#include <csignal>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <tuple>

#include <gmock/gmock.h>

#include "integration/plugin/plugin_test.hpp"
#include "support/loopback.hpp"
#include "support/tls_peer.hpp"

namespace certpair::test {
namespace {

// nginx with a list of fingerprints (SHA-1, as nginx has them), read again on SIGHUP.
class FingerprintPeer {
 public:
  FingerprintPeer() : port_(FreePort()) {
    Write();
    std::ignore = RunProcess({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                              "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                              "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                              folder_ / "peer.key", "-out", folder_ / "peer.crt"});
    std::ofstream(folder_ / "nginx.conf")
        << "daemon off; pid " << folder_ / "pid" << "; error_log stderr; worker_processes 1;\n"
        << "events {}\nhttp { access_log off; include " << folder_ / "known" << ";\n"
        << Folders() << "server { listen 127.0.0.1:" << port_ << " ssl; ssl_certificate "
        << folder_ / "peer.crt" << "; ssl_certificate_key " << folder_ / "peer.key"
        << "; ssl_verify_client optional_no_ca;\n"
        << "location = /known { return 200 $version; }\n"
        << "location / { if ($known = 0) { return 403; } return 200 OK; } } }\n";
    nginx_ = std::make_unique<Child>(
        std::vector<std::string>{"/usr/sbin/nginx", "-p", folder_.Path(), "-e", "stderr", "-c",
                                 folder_ / "nginx.conf"},
        folder_ / "log");
    EXPECT_TRUE(Eventually([&] { return Version() == version_; })) << ReadFile(folder_ / "log");
  }
  // Its workers end with it, in good order.
  ~FingerprintPeer() {
    nginx_->Signal(SIGTERM);
    nginx_->WaitForExit(std::chrono::seconds{10});
  }
  FingerprintPeer(const FingerprintPeer&) = delete;
  FingerprintPeer& operator=(const FingerprintPeer&) = delete;

  // What a person does who owns the peer: uploads a certificate.
  void Upload(const std::string& pem) {
    const auto told =
        RunProcess({"openssl", "x509", "-noout", "-fingerprint", "-sha1"}, {.input = pem});
    std::string digits;
    for (const char c : told.out.substr(told.out.find('=') + 1))
      if (std::isxdigit(static_cast<unsigned char>(c)) != 0)
        digits += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    ASSERT_EQ(digits.size(), 40U) << pem;
    known_.push_back(digits);
    ++version_;
    Write();
    // The new worker and the old one answer side by side until the old one is told to leave.
    const std::set<std::string> old = Workers();
    nginx_->Signal(SIGHUP);
    ASSERT_TRUE(Eventually([&] {
      const std::set<std::string> now = Workers();
      return now.size() == 1 && now != old && Version() == version_;
    })) << ReadFile(folder_ / "log");
  }
  [[nodiscard]] std::string Url() const {
    return "https://localhost:" + std::to_string(port_) + "/";
  }
  [[nodiscard]] std::string Certificate() const { return folder_ / "peer.crt"; }

 private:
  void Write() {
    std::ofstream file{folder_ / "known"};
    file << "map $host $version { default " << version_
         << "; }\nmap $ssl_client_fingerprint $known { default 0;";
    for (const std::string& fingerprint : known_) file << " " << fingerprint << " 1;";
    file << " }\n";
  }
  [[nodiscard]] std::string Folders() const {
    std::string lines;
    for (const char* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
      lines += std::string{kind} + "_temp_path " + (folder_ / "tmp") + ";\n";
    return lines;
  }
  [[nodiscard]] std::set<std::string> Workers() const {
    const std::string pid = std::to_string(nginx_->Pid());
    std::istringstream children{ReadFile("/proc/" + pid + "/task/" + pid + "/children")};
    return {std::istream_iterator<std::string>{children}, {}};
  }
  [[nodiscard]] int Version() const {
    const auto told = RunProcess({"curl", "-sk", Url() + "known"});
    return told.out.empty() ? -1 : std::atoi(told.out.c_str());
  }

  ScratchFolder folder_;
  const int port_;
  int version_ = 1;
  std::vector<std::string> known_;
  std::unique_ptr<Child> nginx_;
};

class Story : public PluginTest {};

TEST_F(Story, A_certificate_is_replaced_at_a_fingerprint_peer_with_no_refused_connection) {
  if (!std::filesystem::exists("/usr/sbin/nginx")) GTEST_SKIP() << "there is no nginx";
  OperatorProcess op{WithAdmin()};
  MakeSystem("story", true);
  const Pair before = PairOf("story");
  FingerprintPeer nginx;
  nginx.Upload(MustCertpair({"download", "story"}));
  TlsPeer caller{TheControlPlane(), "idm", "story-outbound", nginx.Url(), nginx.Certificate()};
  caller.AwaitCalls(2);

  MustCertpair({"generate", "story"});
  nginx.Upload(MustCertpair({"download", "story", "--inactive"}));
  MustCertpair({"activate", "story"});
  caller.AwaitCalls(2);
  MustCertpair({"delete", "story", before.active.substr(0, 11)});
  caller.AwaitCalls(2);
  const Pair after = PairOf("story");
  EXPECT_NE(after.active, before.active);
  EXPECT_EQ(after.inactive, "");

  const Json calls = caller.Finish();
  EXPECT_EQ(calls.at("refused"), 0) << calls.dump();
  EXPECT_EQ(calls.at("fingerprints"), 2) << calls.dump();
}

}  // namespace
}  // namespace certpair::test
