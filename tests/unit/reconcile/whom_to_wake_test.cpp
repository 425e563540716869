// Whom a change wakes, by kind and by what has changed.
#include "reconcile/whom_to_wake.hpp"

#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "reconcile/names.hpp"

namespace certpair::reconcile {
namespace {

using testing::UnorderedElementsAreArray;

template <class T>
std::shared_ptr<const T> Share(T value) {
  return std::make_shared<const T>(std::move(value));
}

StoredSystem System(const std::string& space, const std::string& name,
                    const std::string& authority) {
  StoredSystem system;
  system.identity.namespace_ = space;
  system.identity.name = name;
  system.spec.authority = authority;
  system.resource_version = "7";
  return system;
}

StoredAuthority Authority(const std::string& name, bool by_label = false) {
  StoredAuthority authority;
  authority.identity.name = name;
  authority.source = core::AuthorityFromSecret{name + "-key"};
  if (by_label) authority.allow.emplace_back().namespaces.labels.push_back({.key = "team"});
  return authority;
}

SecretMetadata Secret(const std::string& space, const std::string& name,
                      const std::string& system = {}) {
  SecretMetadata secret{.namespace_ = space, .name = name, .uid = "u", .resource_version = "9"};
  if (!system.empty()) secret.labels.emplace(std::string{kSystemLabel}, system);
  return secret;
}

// "corporate" has two systems; "other", which selects by label, has one.
const std::vector<StoredSystem>& Systems() {
  static const std::vector<StoredSystem> systems{
      System("idm", "a", "corporate"), System("idm", "b", "other"), System("hr", "c", "corporate")};
  return systems;
}
const std::vector<StoredAuthority>& Authorities() {
  static const std::vector<StoredAuthority> authorities{Authority("corporate"),
                                                        Authority("other", true)};
  return authorities;
}
std::shared_ptr<const StoredAuthority> Find(const std::string& name) {
  for (const StoredAuthority& authority : Authorities())
    if (authority.identity.name == name) return Share(authority);
  return nullptr;
}

// All that look: those that are named, and those that a condition selects.
std::vector<std::string> WhoLooks(const Wakes& wakes) {
  std::vector<std::string> who{wakes.systems.begin(), wakes.systems.end()};
  for (const StoredSystem& system : Systems())
    if (wakes.systems_that && wakes.systems_that(system))
      who.push_back(ObjectKey(system.identity.namespace_, system.identity.name));
  for (const std::string& name : wakes.authorities) who.push_back("authority:" + name);
  for (const StoredAuthority& authority : Authorities())
    if (wakes.authorities_that && wakes.authorities_that(authority))
      who.push_back("authority:" + authority.identity.name);
  return who;
}

// The wakes of a change from one value to another; null: it comes, or it goes.
template <class T, class Of>
Wakes From(const std::optional<T>& before, const std::optional<T>& after, Of of) {
  const auto a = before ? Share(*before) : nullptr;
  const auto b = after ? Share(*after) : nullptr;
  return of(Change<T>{a, b});
}
constexpr auto kOf = [](const auto& change) { return WhomToWake(change); };
constexpr auto kOfSecret = [](const auto& change) { return WhomToWakeForSecret(change); };
constexpr auto kOfCaSecret = [](const auto& change) {
  return WhomToWakeForAuthoritySecret(change);
};
constexpr auto kOfNamespace = [](const auto& change) { return WhomToWake("idm", change); };

std::optional<StoredAuthority> Corporate(void (*change)(StoredAuthority&) = nullptr) {
  StoredAuthority authority = Authority("corporate");
  if (change != nullptr) change(authority);
  return authority;
}

TEST(WhomToWake, Holds_for_each_kind_and_change) {
  const std::optional<StoredSystem> a = System("idm", "a", "corporate");
  const std::optional<SecretMetadata> secret = Secret("idm", "s", "a");
  const std::optional<SecretMetadata> handed_over = Secret("idm", "s", "b");
  const std::optional<SecretMetadata> unlabelled = Secret("idm", "s");
  const std::optional<SecretMetadata> ca = Secret("certpair-system", "corporate-key");
  const std::optional<StoredOperation> wish =
      StoredOperation{.operation = {}, .namespace_ = "idm", .system = "a", .resource_version = "3"};
  const std::optional<StoredNamespace> team = StoredNamespace{.labels = {{"team", "idm"}}};
  const std::optional<StoredNamespace> ending =
      StoredNamespace{.labels = {{"team", "idm"}}, .terminating = true};
  const std::optional<StoredNamespace> bare = StoredNamespace{};
  const std::vector<std::string> all_of_corporate{"idm/a", "hr/c", "authority:corporate"};
  const struct {
    const char* what;
    Wakes wakes;
    std::vector<std::string> who;
  } rows[] = {
      {"a system comes", From<StoredSystem>({}, a, kOf), {"idm/a"}},
      {"a system changes", From<StoredSystem>(a, a, kOf), {"idm/a"}},
      {"a system goes", From<StoredSystem>(a, {}, kOf), {"idm/a"}},
      {"a Secret comes", From<SecretMetadata>({}, secret, kOfSecret), {"idm/a"}},
      {"a Secret goes", From<SecretMetadata>(secret, {}, kOfSecret), {"idm/a"}},
      {"a Secret's label moves", From(secret, handed_over, kOfSecret), {"idm/a", "idm/b"}},
      {"a Secret loses its label", From(secret, unlabelled, kOfSecret), {"idm/a"}},
      {"a Secret without a label", From(unlabelled, unlabelled, kOfSecret), {}},
      {"an operation comes", From<StoredOperation>({}, wish, kOf), {"idm/a"}},
      {"an operation goes", From<StoredOperation>(wish, {}, kOf), {"idm/a"}},
      {"an authority comes", From<StoredAuthority>({}, Corporate(), kOf), all_of_corporate},
      {"an authority goes", From<StoredAuthority>(Corporate(), {}, kOf), all_of_corporate},
      {"an authority, in nothing", From(Corporate(), Corporate(), kOf), {"authority:corporate"}},
      {"an authority's Secret version",
       From(Corporate(), Corporate([](auto& x) { x.secret_resource_version = "8"; }), kOf),
       {"authority:corporate"}},
      {"an authority's certificate",
       From(Corporate(), Corporate([](auto& x) { x.status.fingerprint = "AB"; }), kOf),
       all_of_corporate},
      {"an authority's rules",
       From(Corporate(), Corporate([](auto& x) { x.allow.emplace_back(); }), kOf),
       all_of_corporate},
      {"an authority's readiness",
       From(Corporate(), Corporate([](auto& x) {
              x.status.conditions.push_back({.type = "Ready", .message = "other"});
            }),
            kOf),
       all_of_corporate},
      {"a namespace comes", From<StoredNamespace>({}, team, kOfNamespace), {"idm/a", "idm/b"}},
      {"a namespace goes", From<StoredNamespace>(team, {}, kOfNamespace), {"idm/a", "idm/b"}},
      {"a namespace's labels", From(team, bare, kOfNamespace), {"idm/a", "idm/b"}},
      {"a namespace is ending", From(team, ending, kOfNamespace), {"idm/a", "idm/b"}},
      {"a namespace, in nothing", From(team, team, kOfNamespace), {}},
      {"a CA's Secret", From(ca, ca, kOfCaSecret), {"authority:corporate"}},
      {"another Secret beside it", From(secret, {}, kOfCaSecret), {}},
      {"labels are known again", WhomToWakeWhenLabelsAreKnown(Find), {"idm/b"}},
  };
  for (const auto& row : rows)
    EXPECT_THAT(WhoLooks(row.wakes), UnorderedElementsAreArray(row.who)) << row.what;
}

TEST(WhomToWake, What_is_new_to_the_caches_looks_in_turn) {
  const std::optional<StoredSystem> a = System("idm", "a", "corporate");
  EXPECT_EQ(From<StoredSystem>({}, a, kOf).urgency, kube::Urgency::InTurn);
  EXPECT_EQ(From(a, a, kOf).urgency, kube::Urgency::First);
  const std::optional<SecretMetadata> secret = Secret("idm", "s", "a");
  EXPECT_EQ(From<SecretMetadata>({}, secret, kOfSecret).urgency, kube::Urgency::InTurn);
  EXPECT_EQ(From<SecretMetadata>(secret, {}, kOfSecret).urgency, kube::Urgency::First);
  EXPECT_EQ(From<StoredOperation>({}, StoredOperation{}, kOf).urgency, kube::Urgency::First)
      << "a person waits for it";
}

TEST(WhomToWake, The_version_of_an_echo_is_told_and_none_of_what_is_gone) {
  const std::optional<StoredSystem> a = System("idm", "a", "corporate");
  EXPECT_EQ(From(a, a, kOf).resource_version, "7");
  EXPECT_EQ(From<StoredSystem>(a, {}, kOf).resource_version, "");
  const std::optional<SecretMetadata> secret = Secret("idm", "s", "a");
  EXPECT_EQ(From(secret, secret, kOfSecret).resource_version, "9");
  EXPECT_EQ(
      From<StoredOperation>({}, StoredOperation{.resource_version = "3"}, kOf).resource_version,
      "");
}

}  // namespace
}  // namespace certpair::reconcile
