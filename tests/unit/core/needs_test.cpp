// What a pass reads before a change is written.
#include <gtest/gtest.h>

#include "unit/core/builders.hpp"

namespace certpair::core::testing {
namespace {

Observation WithGenerate(Observation o) {
  o.operations = {Op(OperationAction::Generate, 1)};
  return o;
}

// A system that had a certificate, whose Secret is gone.
Observation Lost() {
  Observation o = WithPair(Fresh(), Made(1, kNow));
  o.secret = Missing{};
  o.live.secret = true;
  return o;
}

TEST(Need, A_quiet_system_needs_nothing) {
  EXPECT_EQ(Decide(WithPair(Fresh(), Made(1, kNow))).need, std::nullopt);
}

TEST(Need, The_first_certificate_of_a_new_system_needs_no_read) {
  const Decision decision = Decide(Fresh());
  EXPECT_TRUE(decision.change);
  EXPECT_EQ(decision.need, std::nullopt);
}

TEST(Need, A_change_of_a_Secret_needs_it_from_the_API_server) {
  Observation o = WithPair(Fresh(), Made(1, kNow));
  o.secret_metadata_differs = true;
  EXPECT_EQ(Decide(o).need, Need::Secret);
  o.live.secret = true;
  EXPECT_EQ(Decide(o).need, std::nullopt);
}

TEST(Need, A_lost_Secret_is_made_anew_only_for_a_system_that_exists) {
  Observation o = Lost();
  EXPECT_EQ(Decide(o).need, Need::System);
  o.live.system = true;
  EXPECT_EQ(Decide(o).need, std::nullopt);
}

TEST(Need, The_effect_of_an_operation_needs_the_operation) {
  Observation o = WithGenerate(WithPair(Fresh(), Made(1, kNow)));
  o.live.secret = true;
  EXPECT_EQ(Decide(o).need, Need::Operation);
  o.live.operation_uid = "op-1";
  EXPECT_EQ(Decide(o).need, std::nullopt);
  o.live.operation_uid = "op-2";
  EXPECT_EQ(Decide(o).need, Need::Operation) << "of another one";
}

TEST(Need, Each_need_is_met_once) {
  Observation o = Fresh();
  o.spec.issuance = Issuance::Manual;
  o.spec.secret.pkcs12 = PasswordReference{"p", "password"};
  o = WithGenerate(With(std::move(o), Missing{}));
  int rounds = 0;
  for (auto need = Decide(o).need; need; need = Decide(o).need) {
    ASSERT_LT(++rounds, 5);
    switch (*need) {
      case Need::Secret:
        o.live.secret = true;
        break;
      case Need::Password:
        o.password.state = PasswordView::State::There;
        break;
      case Need::System:
        o.live.system = true;
        break;
      case Need::Operation:
        o.live.operation_uid = "op-1";
        break;
    }
  }
  EXPECT_EQ(rounds, 4);
}

TEST(Need, After_a_write_nothing_more_is_read_for_a_change) {
  Observation o = WithPair(Fresh(), Made(1, kNow));
  o.secret_metadata_differs = true;
  o.written_in_this_pass = true;
  EXPECT_EQ(Decide(o).need, std::nullopt);
}

}  // namespace
}  // namespace certpair::core::testing
