#include "crash.hpp"

#include <algorithm>
#include <csignal>

#include "base/base64.hpp"

namespace certpair::test {
namespace {

using std::chrono::minutes;

constexpr int kMostWrites = 8;

const PemPair& Authority() {
  static const PemPair authority = MakeAuthority();
  return authority;
}

Json SlotData(const char* prefix, const char* ca, const x509::IssuedCertificate* certificate) {
  const std::string name = prefix;
  if (certificate == nullptr)
    return {{name + ".crt", nullptr}, {name + ".key", nullptr}, {ca, nullptr}};
  return {{name + ".crt", EncodeBase64(certificate->certificate_pem)},
          {name + ".key", EncodeBase64(certificate->key_pem.Reveal())},
          {ca, EncodeBase64(Authority().certificate)}};
}

}  // namespace

void Crash::SetUp() {
  ProxiedOperatorTest::SetUp();
  if (HasFatalFailure() || IsSkipped()) return;
  StartOperator();
  static const bool made = [] {
    Apply(TlsSecret("crash-ca", Authority().certificate, Authority().key));
    Apply(AuthorityFromSecret("crash-ca", "crash-ca"));
    AwaitCondition("certca", "crash-ca", "Ready", "True", "", kCrashLimit);
    return true;
  }();
  EXPECT_TRUE(made);
}

void Crash::StartOperator() {
  operator_.emplace(ThroughProxy());
  EXPECT_TRUE(Eventually([&] { return operator_->Ready().starts_with("ok"); }, kCrashLimit))
      << operator_->Log();
}

void Crash::AfterEachWrite(const std::string& title, const Scenario& scenario) {
  for (int n = 1; !HasFailure(); ++n) {
    ASSERT_LE(n, kMostWrites) << title << " does not come to an end";
    SCOPED_TRACE(title + ", killed after write " + std::to_string(n));
    const std::string name = title + "-" + std::to_string(n);
    scenario.prepare(name);
    const std::ptrdiff_t outlived = OutlivedIssuances(name);
    const bool killed = IsKilledAfter(n, name, scenario);
    EXPECT_EQ(SecretWrites(), scenario.secret_writes);
    const bool counted_anew = scenario.secret_writes > 0;
    EXPECT_EQ(Issuances(name), scenario.automatic_issuances + (counted_anew ? outlived : 0));
    if (!killed) {
      EXPECT_GT(n, 1) << "nothing was written at all";
      return;
    }
  }
}

// False: it made fewer writes than that, and rests.
bool Crash::IsKilledAfter(int writes, const std::string& name, const Scenario& scenario) {
  // A status can be read before the proxy has counted its write: what is left of the preparation is
  // over before the count begins.
  if (Get("psys", name)) Rests(name);
  proxy_->Do({{"do", "reset"}});
  proxy_->Do({{"do", "kill_after_writes"}, {"pid", operator_->Pid()}, {"writes", writes}});
  scenario.act(name);
  EXPECT_TRUE(Eventually([&] { return !operator_->Running() || scenario.done(name); }, kCrashLimit))
      << operator_->Log();
  if (Rests(name)) {
    EXPECT_EQ(proxy_->Writes(), writes - 1);
    return false;
  }
  EXPECT_EQ(operator_->WaitForExit(kCrashLimit), 128 + SIGKILL) << operator_->Log();
  StartOperator();
  EXPECT_TRUE(Eventually([&] { return scenario.done(name); }, kCrashLimit)) << operator_->Log();
  EXPECT_TRUE(Rests(name) && scenario.done(name)) << operator_->Log();
  return true;
}

// One more look, that somebody else gave cause for, is over. False: the process is gone.
bool Crash::Rests(const std::string& name) {
  if (!operator_->Running()) return false;
  const auto passes = [&] { return operator_->Metric("certpair_reconciles_total"); };
  const double before = passes();
  MustKubectl(
      {"label", "psys", name, "-n", "idm", "--overwrite", "looked-at=" + std::to_string(++looks_)});
  EXPECT_TRUE(Eventually(
      [&] {
        return !operator_->Running() ||
               (passes() > before && operator_->Metric("certpair_work_queue_depth") <= 0);
      },
      kCrashLimit))
      << operator_->Log();
  return operator_->Running();
}

int Crash::SecretWrites() const {
  int writes = 0;
  const Json counts = proxy_->Do({{"do", "counts"}});
  for (const auto& [path, count] : counts.at("by_path").items())
    if (path.find("/secrets") != std::string::npos) writes += count.get<int>();
  return writes;
}

// How many certificates were made by themselves, as the Secret counts them.
std::ptrdiff_t Crash::Issuances(const std::string& system) {
  const auto secret = Get("secret", system + "-outbound");
  const std::string times =
      secret->at("metadata").at("annotations").value("certpair.dev/automatic-issuances", "");
  return times.empty() ? 0 : std::ranges::count(times, ',') + 1;
}

std::ptrdiff_t Crash::OutlivedIssuances(const std::string& system) {
  const auto object = Get("psys", system);
  if (!object || !Get("secret", system + "-outbound")) return 0;
  const Json times =
      object->value("status", Json::object()).value("automaticIssuances", Json::array());
  return std::ssize(times) - Issuances(system);
}

x509::IssuedCertificate Crash::Made(const std::string& name, minutes since, minutes left) {
  const auto now = std::chrono::floor<seconds>(std::chrono::system_clock::now());
  return MakeClient(Authority(), name, now - since, now + left);
}
x509::IssuedCertificate Crash::Expired(const std::string& name) {
  return Made(name, minutes{180}, minutes{-60});
}
x509::IssuedCertificate Crash::InWindow(const std::string& name) {
  return Made(name, minutes{120}, minutes{40});
}
x509::IssuedCertificate Crash::Newer(const std::string& name) {
  return Made(name, minutes{30}, minutes{60 * 24 * 30});
}

Json Crash::SystemOf(const std::string& name) {
  Json system = System(name, "crash-ca");
  system["spec"]["certificate"]["subject"] = {{"commonName", name}};
  return system;
}

void Crash::MakeItReady(const Json& system) {
  Apply(system);
  AwaitCondition("psys", system.at("metadata").at("name"), "Ready", "True", "", kCrashLimit);
}

void Crash::MakeItHold(const Json& system, const x509::IssuedCertificate& active,
                       const x509::IssuedCertificate* inactive) {
  MakeItReady(system);
  const std::string name = system.at("metadata").at("name");
  Json data = SlotData("tls", "ca.crt", &active);
  data.update(SlotData("inactive", "inactive-ca.crt", inactive));
  PatchSecret(name,
              {{"data", data},
               {"metadata", {{"annotations", {{"certpair.dev/automatic-issuances", nullptr}}}}}});
  before_ = {active.details.fingerprint, inactive != nullptr ? inactive->details.fingerprint : ""};
  AwaitPair(name, [&](const Pair& pair) { return pair == before_; }, kCrashLimit);
}

void Crash::TurnOn(Json& system) {
  system["spec"]["automaticRegeneration"] = {{"enabled", true}, {"before", "1h"}};
  Apply(system);
}

void Crash::PatchSecret(const std::string& name, const Json& patch) {
  MustKubectl(
      {"patch", "secret", name + "-outbound", "-n", "idm", "--type=merge", "-p", patch.dump()});
}

bool Crash::IsReady(const std::string& system, const std::string& reason) {
  const Told ready = ConditionOf(Get("psys", system).value_or(Json::object()), "Ready");
  return ready.status == "True" && (reason.empty() || ready.reason == reason);
}

}  // namespace certpair::test
