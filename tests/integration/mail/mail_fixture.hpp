// An operator with a real mail server beside a real API server: STARTTLS, AUTH, and what arrived.
#pragma once

#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "support/pair_test.hpp"
#include "support/smtp_server.hpp"

namespace certpair::test {

class MailTest : public PairTest {
 protected:
  void SetUp() override {
    if (const auto why = SmtpServer::WhyNot()) GTEST_SKIP() << *why;
    PairTest::SetUp();
    if (HasFatalFailure() || IsSkipped()) return;
    server_.emplace(SmtpServerOptions{.behaviour = Login()});
    std::ofstream{folder_ / "credentials"} << "certpair:open sesame\n";
  }

  static Json Login() { return {{"user", "certpair"}, {"password", "open sesame"}}; }
  /// Login() and a fault.
  static Json Behaviour(const Json& more) {
    Json behaviour = Login();
    behaviour.update(more);
    return behaviour;
  }
  [[nodiscard]] std::vector<std::string> MailFlags() const {
    return {"--smtp-server=" + server_->Address(), "--smtp-from=certpair@example.com",
            "--smtp-ca-file=" + server_->CaFile(),
            "--smtp-credentials-file=" + folder_ / "credentials", "--cluster-name=test-cluster"};
  }
  /// As fast as it can.
  static std::vector<std::string> NoRates() {
    return {"--smtp-rate=0", "--smtp-namespace-rate=0", "--smtp-address-rate=0"};
  }
  [[nodiscard]] OperatorOptions WithMail(std::vector<std::string> more = {}) const {
    auto arguments = MailFlags();
    arguments.insert(arguments.end(), more.begin(), more.end());
    return WithAdmin(std::move(arguments));
  }

  /// OFF; the first of its warnings is due a second after its certificate was made.
  static Json Ending(const std::string& name, const std::string& authority) {
    Json system = System(name, authority);
    system["spec"]["displayName"] = "Système " + name;
    system["spec"]["certificate"]["validity"] = "10m";
    system["spec"]["notifications"] = {{"warnBefore", {"9m59s"}}};
    return system;
  }
  static void Subscribe(Json& system, const std::string& reader) {
    Json& readers = system["spec"]["notifications"]["subscribers"];
    readers.push_back({{"displayName", reader}, {"email", reader + "@example.com"}});
    Apply(system);
  }
  /// What makes a regeneration due at once, and what comes of it last.
  static void TurnOn(Json& system) {
    system["spec"]["certificate"]["validity"] = "8760h";
    system["spec"]["automaticRegeneration"] = {{"enabled", true}, {"before", "1h"}};
    Apply(system);
  }

  /// `reader: subject`, in the order of arrival, of mails about this system.
  [[nodiscard]] std::vector<std::string> MailsAbout(const std::string& system) const {
    std::vector<std::string> mails;
    for (const ReceivedMail& mail : server_->Mails()) {
      const std::string subject = mail.Header("Subject");
      if (!subject.ends_with("Système " + system)) continue;
      mails.push_back(mail.To().substr(0, mail.To().find('@')) + ": " + subject);
    }
    return mails;
  }
  [[nodiscard]] std::map<std::string, int> MessageIds() const {
    std::map<std::string, int> ids;
    for (const ReceivedMail& mail : server_->Mails()) ++ids[mail.Header("Message-Id")];
    EXPECT_FALSE(ids.contains("")) << "a mail without one";
    return ids;
  }
  static std::string Expiring(const std::string& reader, const std::string& system) {
    return reader + ": Outbound Certificate Expiration. Target System: Système " + system;
  }
  static std::string Renewed(const std::string& reader, const std::string& system) {
    return reader + ": Outbound Certificate Renewed. Target System: Système " + system;
  }
  static void Await(const std::function<bool()>& holds) { EXPECT_TRUE(Eventually(holds, kSoon)); }
  void AwaitMails(const std::string& system, const std::vector<std::string>& mails) const {
    Await([&] { return MailsAbout(system).size() >= mails.size(); });
    EXPECT_EQ(MailsAbout(system), mails);
  }
  static void AwaitDelivered(const std::string& system, const std::string& reason = "Delivered") {
    AwaitCondition("psys", system, "NotificationsDelivered",
                   reason == "Delivered" ? "True" : "False", reason, kSoon);
  }
  static std::vector<std::string> Ledger(const std::string& system, const std::string& state) {
    std::vector<std::string> lines;
    const Json object = Get("psys", system).value_or(Json::object());
    for (const std::string line :
         object.value(Json::json_pointer{"/status/notifications/sent"}, Json::array()))
      if (line.starts_with(state)) lines.push_back(line);
    return lines;
  }

  ScratchFolder folder_;
  std::optional<SmtpServer> server_;
};

}  // namespace certpair::test
