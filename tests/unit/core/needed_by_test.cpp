// For whom a key is made first: what an order says of the certificate that it is to succeed.
#include <gtest/gtest.h>

#include "unit/core/builders.hpp"

namespace certpair::core {
namespace {

using namespace testing;

// What the change asks for; fails where it makes no certificate.
std::optional<sys_seconds> NeededBy(const Observation& o) {
  const Decision decision = Decide(o);
  if (!decision.change || !decision.change->slots.order) {
    ADD_FAILURE() << "no certificate is made";
    return std::nullopt;
  }
  return decision.change->slots.order->needed_by;
}

Observation WithGenerate(Observation o) {
  o.operations.push_back(Op(OperationAction::Generate, 1));
  return o;
}

Observation Regenerating() {
  Observation o = Fresh();
  o.spec.regeneration_enabled = true;
  return o;
}

TEST(NeededBy, A_first_certificate_says_nothing) {
  EXPECT_EQ(NeededBy(Regenerating()), std::nullopt);
  EXPECT_EQ(NeededBy(WithGenerate(Fresh())), std::nullopt);
}

TEST(NeededBy, A_renewal_says_when_the_present_certificate_ends) {
  const Certificate ending = Made(1, kNow - days{360});
  EXPECT_EQ(NeededBy(WithPair(Regenerating(), ending)), ending.not_after);
  const Certificate ended = Made(1, kNow - days{370});
  EXPECT_EQ(NeededBy(WithPair(Regenerating(), ended)), ended.not_after);
}

TEST(NeededBy, A_Generate_says_it_once_the_window_has_come) {
  const Certificate ending = Made(1, kNow - days{360});
  EXPECT_EQ(NeededBy(WithGenerate(WithPair(Fresh(), ending))), ending.not_after);
  EXPECT_EQ(NeededBy(WithGenerate(WithPair(Fresh(), Made(1, kNow - days{10})))), std::nullopt);
}

TEST(NeededBy, What_is_in_use_and_lost_or_damaged_is_needed_now) {
  Observation lost = WithPair(Regenerating(), Made(1, kNow - days{10}));
  lost.secret = Missing{};
  lost.secret_resource_version.clear();
  EXPECT_EQ(NeededBy(lost), kNow);
  Observation damaged = WithPair(Regenerating(), Made(1, kNow - days{10}));
  damaged.secret = Damaged{.intact_active = {}, .intact_inactive = {}, .what = "the active slot"};
  EXPECT_EQ(NeededBy(damaged), kNow);
}

}  // namespace
}  // namespace certpair::core
