// Each command as a user with exactly the role meant for it, and with one right less.
#include <thread>
#include <tuple>

#include <gmock/gmock.h>

#include "integration/plugin/plugin_test.hpp"

namespace certpair::test {
namespace {

using testing::HasSubstr;

class Roles : public PluginTest {
 protected:
  void SetUp() override {
    PluginTest::SetUp();
    if (HasFatalFailure() || IsSkipped()) return;
    MustKubectl({"apply", "-f", std::string{CERTPAIR_SOURCE_DIR} + "/config/roles.yaml"});
    for (const char* role : {"viewer", "operator", "admin"})
      std::ignore = Kubectl({"-n", "idm", "create", "rolebinding", std::string{"plugin-"} + role,
                             std::string{"--clusterrole=certpair-"} + role,
                             std::string{"--user="} + role + "@example.com"});
  }
};

TEST_F(Roles, Each_command_needs_its_role_and_says_which_where_it_is_missing) {
  OperatorProcess op{WithAdmin()};
  MakeSystem("roles");
  MakeSystem("roles-delete");
  MustCertpair({"generate", "roles-delete"});
  const std::string inactive = PairOf("roles-delete").inactive;
  struct Case {
    std::vector<std::string> command;
    const char* role;
    const char* less;
    const char* verb;
    const char* resource;
  };
  const Case cases[] = {
      {{"list"}, "viewer", "nobody", "list", "provisioningsystems"},
      {{"describe", "roles"}, "viewer", "nobody", "get", "provisioningsystems"},
      {{"subscribers", "roles"}, "viewer", "nobody", "get", "provisioningsystems"},
      {{"simulate", "roles"}, "viewer", "nobody", "get", "provisioningsystems"},
      {{"download", "roles"}, "viewer", "nobody", "get", "provisioningsystems"},
      {{"generate", "roles"}, "operator", "viewer", "create", "certificateoperations"},
      {{"activate", "roles"}, "operator", "viewer", "create", "certificateoperations"},
      {{"delete", "roles-delete", inactive},
       "operator",
       "viewer",
       "create",
       "certificateoperations"},
      {{"auto", "on", "roles"}, "operator", "viewer", "patch", "provisioningsystems"},
      {{"auto", "off", "roles"}, "operator", "viewer", "patch", "provisioningsystems"},
      {{"set-authentication", "roles", "BasicAuthentication"},
       "operator",
       "viewer",
       "patch",
       "provisioningsystems"},
      {{"subscribe", "roles", "--me"}, "operator", "viewer", "patch", "provisioningsystems"},
      {{"unsubscribe", "roles", "--me"}, "operator", "viewer", "", ""},
      {{"download", "roles", "-o", "chain"}, "admin", "operator", "get", "secrets"},
      {{"download", "roles", "--key"}, "admin", "operator", "get", "secrets"}};
  for (const Case& c : cases) {
    const std::string words = c.command.front() + " " + c.command.back();
    const ProcessResult refused = Certpair(c.command, std::string{c.less} + "@example.com");
    const bool needs_right = *c.verb != '\0';
    if (needs_right) {
      EXPECT_EQ(refused.exit_code, 1) << words;
      EXPECT_THAT(refused.err, HasSubstr(std::string{"you may not "} + c.verb + " " + c.resource));
      EXPECT_THAT(refused.err, HasSubstr(std::string{"The role certpair-"} + c.role)) << words;
    }
    const ProcessResult done = Certpair(c.command, std::string{c.role} + "@example.com");
    EXPECT_EQ(done.exit_code, 0) << words << "\n" << done.err;
  }
}

TEST_F(Roles, Kubernetes_own_roles_have_the_matching_rights) {
  const auto may = [](const std::string& role, const std::string& verb, const std::string& what) {
    std::ignore = Kubectl({"-n", "idm", "create", "rolebinding", "own-" + role,
                           "--clusterrole=" + role, "--user=own-" + role});
    return Kubectl({"auth", "can-i", verb, what, "-n", "idm", "--as", "own-" + role}).out ==
           "yes\n";
  };
  EXPECT_TRUE(Eventually([&] { return may("view", "list", "provisioningsystems.certpair.dev"); }));
  EXPECT_TRUE(
      Eventually([&] { return may("edit", "create", "certificateoperations.certpair.dev"); }));
  EXPECT_TRUE(
      Eventually([&] { return may("admin", "create", "provisioningsystems.certpair.dev"); }));
  EXPECT_FALSE(may("view", "create", "certificateoperations.certpair.dev"));
  EXPECT_FALSE(may("edit", "create", "provisioningsystems.certpair.dev"));
}

TEST_F(Roles, Two_people_who_subscribe_at_once_are_both_subscribed_and_leave_each_other_alone) {
  OperatorProcess op{WithAdmin()};
  MakeSystem("crowd");
  constexpr int kPeople = 8;
  const auto all = [&](const std::string& command) {
    std::vector<std::jthread> people;
    for (int i = 0; i < kPeople; ++i)
      people.emplace_back([&, i] {
        MustCertpair({command, "crowd", "--email", "person" + std::to_string(i) + "@example.com"});
      });
  };
  all("subscribe");
  EXPECT_EQ(
      Json::parse(MustCertpair({"subscribers", "crowd", "-o", "json"})).at("subscribers").size(),
      std::size_t{kPeople});
  MustKubectl({"-n", "idm", "patch", "psys", "crowd", "--type=json", "-p",
               R"([{"op":"add","path":"/spec/notifications/subscribers/-",
                    "value":{"displayName":"From Git","email":"git@example.com"}}])"});
  all("unsubscribe");
  MustCertpair({"unsubscribe", "crowd", "--email", "git@example.com"});
  EXPECT_EQ(Json::parse(MustCertpair({"subscribers", "crowd", "-o", "json"})).at("subscribers"),
            Json::array());
}

}  // namespace
}  // namespace certpair::test
