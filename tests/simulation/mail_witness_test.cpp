// The judge of mails is just: it misses what is missing, and blames nobody for what the mail server
// would never take.
#include "simulation/mail_witness.hpp"

#include <chrono>
#include <string>

#include <gmock/gmock.h>

#include "simulation/specimens.hpp"

namespace certpair::sim {
namespace {

using std::chrono::hours;
using testing::HasSubstr;

constexpr const char* kKey = "idm/abap";

class MailWitnessTest : public testing::Test {
 protected:
  MailWitnessTest() {
    AddAuthority(stage);
    stage.daemon.Start();
    auto system = MakeSystem("abap");
    system.spec.regeneration_enabled = false;
    system.spec.subscribers = {{"Reader", "reader@example.com"}};
    stage.world.AddSystem(std::move(system));
    stage.Settle();
    witness.Changed(kKey);
    stage.world.mail_fault = [] { return MailFault::Delay; };
  }
  // Until the last warning was due for so long that whoever is subscribed must have it.
  void RunBeyondTheLastWarning() {
    const auto end = stage.world.LiveSystem(kKey)->status.active->not_after;
    stage.Run(end - hours{72} + hours{40} - stage.world.TrueNow());
    witness.Judge(kKey);
  }
  Pair Look(const std::string& key) {
    active = *stage.world.LiveSystem(key)->status.active;
    Pair pair;
    pair.active.certificate = &active;
    return pair;
  }

  Stage stage{{.installation = {}, .check_in_depth_every = hours{24}, .mail = true}};
  core::Certificate active;
  std::string accused;
  MailWitness witness{
      stage,
      {.accuse = [this](const std::string&, const std::string& what) { accused = what; },
       .excused_until = [](const std::string&) { return World::Time{}; },
       .look = [this](const std::string& key) { return Look(key); }}};
};

TEST_F(MailWitnessTest, Accepts_a_mail_that_the_server_delayed_for_good) {
  stage.world.onlookers.given_up = [this](const std::string& key, const core::Notice& notice) {
    witness.GivenUp(key, notice);
  };
  RunBeyondTheLastWarning();
  EXPECT_EQ(accused, "");
  const auto* told = stage.world.LiveSystem(kKey)->status.Find("NotificationsDelivered");
  ASSERT_NE(told, nullptr);
  EXPECT_EQ(told->reason, "MailGivenUp");
}

TEST_F(MailWitnessTest, Accuses_where_a_mail_is_missing_without_a_reason) {
  RunBeyondTheLastWarning();
  EXPECT_THAT(accused, HasSubstr("reader@example.com was not told of 72h"));
}

}  // namespace
}  // namespace certpair::sim
