// The judges are the TLS stacks that people have at the other end. A tool that is not installed is
// said to be missing: the test is skipped, with the tool's name.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "support/certificates.hpp"
#include "support/process.hpp"
#include "support/source.hpp"
#include "x509/authority.hpp"
#include "x509/certificate.hpp"
#include "x509/pkcs12.hpp"

namespace certpair::x509 {
namespace {

namespace fs = std::filesystem;
using core::KeyAlgorithm;
using core::KeySpec;
using test::RunProcess;

constexpr KeySpec kP256{KeyAlgorithm::Ecdsa, 256};

// A tool of PATH.
std::optional<std::string> Find(const std::string& tool) {
  const char* path = std::getenv("PATH");
  std::istringstream folders{path == nullptr ? "" : path};
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string file = fs::path{folder} / tool;
    if (access(file.c_str(), X_OK) == 0) return file;
  }
  if (tool == "nginx" && access("/usr/sbin/nginx", X_OK) == 0) return "/usr/sbin/nginx";
  return std::nullopt;
}

#define CERTPAIR_NEEDS(tool) \
  if (!Find(tool)) GTEST_SKIP() << "not tested against " << (tool) << ": it is not installed"

struct Case {
  const char* name;
  const char* authority;  ///< its kind of key; `ours` for one that MakeAuthorityCertificate makes
  KeySpec key;
  bool has_intermediate = false;
};
const Case kCases[] = {
    {"rsa", "RSA-2048", {KeyAlgorithm::Rsa, 2048}},
    {"p256", "P-256", kP256},
    {"p384", "P-384", {KeyAlgorithm::Ecdsa, 384}},
    {"p521-ca", "P-521", kP256},
    {"ed25519", "ED25519", {KeyAlgorithm::Ed25519, 256}},
    {"rsa-ca", "RSA-2048", kP256},
    {"chain", "P-256", kP256, true},
    {"generated-ca", "ours", kP256},
};

core::Subject SubjectOfCases() {
  return {"Zürich, 東京 #1", {"Example", "Second + \"Co\""}, {"IdM"}, {"DE"}, {"Walldorf"},
          {"Baden"}};
}

void Write(const fs::path& file, std::string_view text) {
  std::ofstream stream{file, std::ios::binary};
  stream << text;
  ASSERT_TRUE(stream.good()) << file;
}

test::PemPair OurAuthority() {
  const auto key = GenerateKey(kP256);
  const auto certificate = MakeAuthorityCertificate({.common_name = "Generated CA",
                                                     .key = kP256,
                                                     .not_before = test::kLongAgo,
                                                     .not_after = test::kFarAway},
                                                    *key);
  return {*certificate, std::string{key->ToPem().Reveal()}};
}

// A folder a case, as the peers want it.
class Peers : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "certpair-peers-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    const auto key = GenerateKey(kP256);
    const test::PemPair server = test::MakeAuthority({.common_name = "localhost",
                                                      .basic_constraints = "CA:FALSE",
                                                      .key_usage = "digitalSignature",
                                                      .extended_key_usage = "serverAuth"});
    for (const Case& row : kCases) WriteCase(row, server);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string FolderOf(const Case& row) const { return (folder_ / row.name).string(); }

  // A CA of the same name and kind, with another key.
  static std::string StrangerOf(const Case& row) {
    if (std::string_view{row.authority} == "ours") return OurAuthority().certificate;
    return test::MakeAuthority({.key = row.authority}).certificate;
  }

  std::string subject_;

 private:
  void WriteCase(const Case& row, const test::PemPair& server) {
    test::PemPair authority = std::string_view{row.authority} == "ours"
                                  ? OurAuthority()
                                  : test::MakeAuthority({.key = row.authority});
    if (row.has_intermediate) {
      const std::string root = authority.certificate;
      authority = test::MakeAuthority({.common_name = "Intermediate"}, authority);
      authority.certificate += root;
    }
    const auto key = GenerateKey(row.key);
    ASSERT_TRUE(key);
    const auto issued = test::MakeSigner(authority).Issue({.subject = SubjectOfCases(),
                                                           .key = row.key,
                                                           .not_before = test::kLongAgo,
                                                           .not_after = test::kFarAway},
                                                          *key);
    ASSERT_TRUE(issued) << issued.error().message;
    subject_ = issued->details.subject;
    const auto store = EncodePkcs12(issued->certificate_pem, issued->key_pem.Reveal(),
                                    issued->ca_pem, SecretString{"changeit"}, "abap-prod");
    ASSERT_TRUE(store) << store.error().message;
    const fs::path folder = FolderOf(row);
    fs::create_directory(folder);
    Write(folder / "trust.pem", issued->ca_pem);
    Write(folder / "client.pem", issued->certificate_pem);
    Write(folder / "client.key", issued->key_pem.Reveal());
    Write(folder / "client.p12", store->Reveal());
    Write(folder / "server.pem", server.certificate);
    Write(folder / "server.key", server.key);
  }

  fs::path folder_;
};

std::string Script(const char* name) {
  return test::SourceDir() + "/tests/unit/x509/peers/" + name;
}

// nginx before 1.23 writes octets beyond ASCII as `\C3`.
std::string WithoutHexPairs(const std::string& text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_pair = text[i] == '\\' && i + 2 < text.size() &&
                         kHex.find(text[i + 1]) != std::string_view::npos &&
                         kHex.find(text[i + 2]) != std::string_view::npos;
    plain += is_pair ? static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16)) : text[i];
    if (is_pair) i += 2;
  }
  return plain;
}

bool Says(const test::ProcessResult& result, const std::string& text) {
  return (result.out + result.err).find(text) != std::string::npos;
}

TEST_F(Peers, Openssl_verify_accepts_each_strictly_as_a_TLS_client) {
  CERTPAIR_NEEDS("openssl");
  for (const Case& row : kCases) {
    SCOPED_TRACE(row.name);
    const std::string folder = FolderOf(row);
    const auto verify = [&](const std::string& purpose) {
      return RunProcess({"openssl", "verify", "-x509_strict", "-check_ss_sig", "-purpose", purpose,
                         "-CAfile", folder + "/trust.pem", "-untrusted", folder + "/client.pem",
                         folder + "/client.pem"});
    };
    const auto good = verify("sslclient");
    EXPECT_EQ(good.exit_code, 0) << good.err << good.out;
    EXPECT_NE(verify("sslserver").exit_code, 0) << "it would pass as a server";
    EXPECT_NE(verify("smimesign").exit_code, 0) << "it would pass for mail";
    Write(folder + "/trust.pem", StrangerOf(row));
    EXPECT_NE(verify("sslclient").exit_code, 0) << "another CA of that name vouches for it";
  }
}

TEST_F(Peers, Openssl_pkcs12_opens_each_key_store_and_sees_modern_algorithms) {
  CERTPAIR_NEEDS("openssl");
  for (const Case& row : kCases) {
    SCOPED_TRACE(row.name);
    const std::string store = FolderOf(row) + "/client.p12";
    const auto info = RunProcess(
        {"openssl", "pkcs12", "-in", store, "-info", "-noout", "-passin", "pass:changeit"});
    EXPECT_EQ(info.exit_code, 0) << info.err;
    EXPECT_TRUE(Says(info, "MAC: sha256, Iteration 10000")) << info.err;
    EXPECT_TRUE(Says(info, "PBES2, PBKDF2, AES-256-CBC, Iteration 10000, PRF hmacWithSHA256"))
        << info.err;
    EXPECT_NE(RunProcess({"openssl", "pkcs12", "-in", store, "-noout", "-passin", "pass:wrong"})
                  .exit_code,
              0);
  }
}

TEST_F(Peers, A_Python_server_that_demands_a_client_certificate_accepts_each) {
  CERTPAIR_NEEDS("python3");
  for (const Case& row : kCases) {
    for (const char* version : {"TLSv1_2", "TLSv1_3"}) {
      SCOPED_TRACE(std::string{row.name} + " " + version);
      const auto result =
          RunProcess({"python3", Script("python_server.py"), FolderOf(row), version});
      EXPECT_EQ(result.exit_code, 0) << result.err;
      EXPECT_EQ(result.out,
                "accepted countryName=DE,stateOrProvinceName=Baden,localityName=Walldorf,"
                "organizationName=Example,organizationName=Second + \"Co\","
                "organizationalUnitName=IdM,commonName=Zürich, 東京 #1\n");
    }
  }
}

TEST_F(Peers, A_Python_server_refuses_one_of_another_CA) {
  CERTPAIR_NEEDS("python3");
  Write(FolderOf(kCases[1]) + "/trust.pem", StrangerOf(kCases[1]));
  const auto result =
      RunProcess({"python3", Script("python_server.py"), FolderOf(kCases[1]), "TLSv1_3"});
  EXPECT_TRUE(result.out.starts_with("refused")) << result.out << result.err;
}

TEST_F(Peers, Nginx_accepts_each_and_sees_the_subject_as_we_write_it) {
  CERTPAIR_NEEDS("python3");
  CERTPAIR_NEEDS("nginx");
  for (const Case& row : kCases) {
    SCOPED_TRACE(row.name);
    const auto result =
        RunProcess({"python3", Script("nginx_server.py"), *Find("nginx"), FolderOf(row)});
    EXPECT_EQ(WithoutHexPairs(result.out), "200 SUCCESS " + subject_ + "\n") << result.err;
  }
  Write(FolderOf(kCases[1]) + "/trust.pem", StrangerOf(kCases[1]));
  const auto refused =
      RunProcess({"python3", Script("nginx_server.py"), *Find("nginx"), FolderOf(kCases[1])});
  EXPECT_TRUE(refused.out.starts_with("400 ")) << refused.out << refused.err;
}

TEST_F(Peers, Go_accepts_each_for_client_authentication) {
  CERTPAIR_NEEDS("go");
  std::vector<std::string> command{"go", "run", Script("verify.go")};
  for (const Case& row : kCases) command.push_back(FolderOf(row));
  const fs::path other = FolderOf(kCases[0]) + "-of-another-ca";
  fs::copy(FolderOf(kCases[0]), other);
  Write(other / "trust.pem", StrangerOf(kCases[0]));
  command.push_back(other.string());
  const auto result =
      RunProcess(command, {.environment = {"GOTOOLCHAIN=local", "GO111MODULE=off", "GOFLAGS="},
                           .timeout = std::chrono::seconds{110}});
  if (result.timed_out) GTEST_SKIP() << "not tested against go: it was still compiling after 110 s";
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::istringstream lines{result.out};
  std::string line;
  for (const Case& row : kCases) {
    std::getline(lines, line);
    EXPECT_TRUE(line.starts_with("accepted ")) << row.name << ": " << line;
  }
  std::getline(lines, line);
  EXPECT_TRUE(line.starts_with("refused ")) << line;
}

TEST_F(Peers, GnuTLS_accepts_each) {
  CERTPAIR_NEEDS("certtool");
  for (const Case& row : kCases) {
    SCOPED_TRACE(row.name);
    const auto verify = [&](const std::string& trust) {
      return RunProcess({"certtool", "--verify", "--verify-profile", "medium",
                         "--load-ca-certificate", trust, "--infile",
                         FolderOf(row) + "/client.pem"});
    };
    const auto good = verify(FolderOf(row) + "/trust.pem");
    EXPECT_EQ(good.exit_code, 0) << good.out << good.err;
    Write(FolderOf(row) + "/other.pem", StrangerOf(row));
    EXPECT_NE(verify(FolderOf(row) + "/other.pem").exit_code, 0);
  }
}

TEST_F(Peers, Java_opens_each_key_store_with_its_chain) {
  CERTPAIR_NEEDS("keytool");
  for (const Case& row : {kCases[0], kCases[4], kCases[6]}) {
    SCOPED_TRACE(row.name);
    const auto list = [&](const std::string& password) {
      return RunProcess(
          {"keytool", "-list", "-v", "-storetype", "PKCS12", "-keystore",
           FolderOf(row) + "/client.p12", "-storepass", password},
          {.environment = {"LC_ALL=C.UTF-8", "JAVA_TOOL_OPTIONS=-Dfile.encoding=UTF-8"}});
    };
    const auto good = list("changeit");
    EXPECT_EQ(good.exit_code, 0) << good.out << good.err;
    EXPECT_TRUE(Says(good, "Alias name: abap-prod")) << good.out;
    EXPECT_TRUE(Says(good, "Entry type: PrivateKeyEntry")) << good.out;
    EXPECT_TRUE(Says(
        good, row.has_intermediate ? "Certificate chain length: 3" : "Certificate chain length: 2"))
        << good.out;
    EXPECT_NE(list("wrong-password").exit_code, 0);
  }
}

}  // namespace
}  // namespace certpair::x509
