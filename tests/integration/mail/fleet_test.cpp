// Many systems that have something to tell at the same moment: all of it arrives, once, in bounded
// memory, and nothing waits for it. The rate is printed beside what the mail server can do at most.
#include <algorithm>
#include <fstream>
#include <iostream>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "integration/mail/mail_fixture.hpp"
#include "support/process.hpp"

namespace certpair::test {
namespace {

using Seconds = std::chrono::duration<double>;
using testing::Each;
using testing::SizeIs;

constexpr int kSystems = 150;
constexpr double kMostGrowth = 64 * 1024;  // of the operator's memory, in kB
// Of what the mail server could take at the same time: each mail costs two writes of a status,
// which the API server on the same cores cannot do as fast (scripts/bench measures both).
constexpr double kLeastRatio = 0.02;

// One connection, one mail after the other, as the operator sends them.
constexpr const char* kSender = R"(
import smtplib, ssl, sys, time
host, port, ca, count = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
server = smtplib.SMTP(host, port)
server.starttls(context=ssl.create_default_context(cafile=ca))
server.login("certpair", "open sesame")
text = "From: a@example.com\r\nTo: b@example.com\r\nSubject: probe\r\n\r\n" + ("x" * 76 + "\r\n") * 60
begin = time.monotonic()
for _ in range(count):
    server.sendmail("a@example.com", ["b@example.com"], text)
print(count / (time.monotonic() - begin))
)";

class MailFleet : public MailTest {
 protected:
  // Mails a second, taken in by the server as fast as it can.
  [[nodiscard]] double ServersOwnLimit() const {
    const ProcessResult result =
        RunProcess({"/usr/bin/python3", "-c", kSender, "127.0.0.1", std::to_string(server_->Port()),
                    server_->CaFile(), "100"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return std::strtod(result.out.c_str(), nullptr);
  }
  static double MemoryOf(pid_t pid, const std::string& field) {
    std::ifstream status{fmt::format("/proc/{}/status", pid)};
    for (std::string line; std::getline(status, line);)
      if (line.starts_with(field + ":"))
        return std::strtod(line.c_str() + field.size() + 1, nullptr);
    return 0;
  }
  static std::string NameOf(int n) { return fmt::format("fleet-{}", n); }
  static int Delivered() {
    const Json list =
        Json::parse(MustKubectl({"get", "psys", "-n", "idm", "-l", "test=fleet", "-o", "json"}));
    return static_cast<int>(std::ranges::count_if(list.at("items"), [](const Json& system) {
      return ConditionOf(system, "NotificationsDelivered").reason == "Delivered";
    }));
  }
};

TEST_F(MailFleet, A_fleet_is_warned_in_whole_while_others_are_renewed) {
  const double limit = ServersOwnLimit();
  const std::size_t probes = server_->CountMails();
  Apply(GeneratedAuthority("fleet-ca"));
  Json list{{"apiVersion", "v1"}, {"kind", "List"}, {"items", Json::array()}};
  for (int n = 0; n < kSystems; ++n) {
    Json system = Ending(NameOf(n), "fleet-ca");
    system["spec"]["notifications"]["subscribers"] = {
        {{"displayName", "Reader"}, {"email", fmt::format("reader-{}@example.com", n)}}};
    system["metadata"]["labels"] = {{"test", "fleet"}};
    list["items"].push_back(std::move(system));
  }
  Json beside = Ending("beside", "fleet-ca");
  {
    OperatorProcess silent{WithAdmin()};  // mail is not configured: everything becomes due
    MustKubectl({"apply", "-f", "-"}, list.dump());
    Apply(beside);
    MustKubectl({"wait", "-n", "idm", "psys", "-l", "test=fleet", "--for=condition=ExpiringSoon",
                 "--timeout=90s"});
  }
  OperatorProcess op{WithMail(NoRates())};
  ASSERT_TRUE(Eventually([&] { return op.Ready().starts_with("ok"); }, kSoon)) << op.Log();
  const double before = MemoryOf(op.Pid(), "VmRSS");
  const auto begin = std::chrono::steady_clock::now();
  TurnOn(beside);
  AwaitPair("beside", [](const Pair& pair) { return !pair.inactive.empty(); });
  const Seconds renewal = std::chrono::steady_clock::now() - begin;
  EXPECT_TRUE(Eventually([&] { return server_->CountMails() >= probes + kSystems; }, kSoon));
  const Seconds took = std::chrono::steady_clock::now() - begin;
  EXPECT_TRUE(Eventually([] { return Delivered() == kSystems; }, kSoon)) << Delivered();
  const double growth = MemoryOf(op.Pid(), "VmHWM") - before;
  std::cout << fmt::format(
      "{} mails in {:.1f} s: {:.0f} a second, where the server alone takes {:.0f}; memory grew by "
      "{:.0f} MB; a renewal beside it took {:.1f} s\n",
      kSystems, took.count(), kSystems / took.count(), limit, growth / 1024, renewal.count());
  EXPECT_LT(growth, kMostGrowth);
  EXPECT_GT(kSystems / took.count() / limit, kLeastRatio);
  EXPECT_LT(renewal.count(), 30);

  std::map<std::string, int> readers;
  for (const ReceivedMail& mail : server_->Mails())
    if (mail.To().starts_with("reader-")) ++readers[mail.To()];
  EXPECT_THAT(readers, SizeIs(kSystems));
  EXPECT_THAT(readers, Each(testing::Pair(testing::_, 1)));
}

}  // namespace
}  // namespace certpair::test
