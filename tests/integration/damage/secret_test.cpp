// What people and scripts do to a pair's Secret by hand: each damage, and what comes of it.
#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/base64.hpp"
#include "support/certificates.hpp"
#include "support/pair_test.hpp"

namespace certpair::test {
namespace {

using Edit = std::function<void(Json& data)>;

std::string Value(const Json& data, const std::string& key) {
  return DecodeBase64(data.at(key).get<std::string>()).value_or("");
}

std::string WithCrlf(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '\n' ? std::string{"\r\n"} : std::string(1, c);
  return out;
}

void SwapSlots(Json& data) {
  for (const auto& [active, inactive] : {std::pair{"tls.crt", "inactive.crt"},
                                         {"tls.key", "inactive.key"},
                                         {"ca.crt", "inactive-ca.crt"}})
    std::swap(data[active], data[inactive]);
}

// As another CA would have issued it, with its own key.
void PutForeignInactive(Json& data) {
  const PemPair authority = MakeAuthority({.common_name = "Somebody else's CA"});
  const x509::IssuedCertificate foreign = MakeClient(authority, "foreign");
  data["inactive.crt"] = EncodeBase64(foreign.certificate_pem);
  data["inactive.key"] = EncodeBase64(foreign.key_pem.Reveal());
  data["inactive-ca.crt"] = EncodeBase64(authority.certificate);
}

class Damage : public PairTest {
 protected:
  void SetUp() override {
    PairTest::SetUp();
    if (HasFatalFailure() || IsSkipped()) return;
    Apply(GeneratedAuthority("damage-ca"));
  }
  // Systems that are ready, with two certificates each.
  static std::vector<Pair> MakePairs(const std::vector<std::string>& systems, bool on = false) {
    for (const std::string& name : systems) {
      Json object = System(name, "damage-ca");
      object["spec"]["automaticRegeneration"] = {{"enabled", on}};
      Apply(object);
    }
    for (const std::string& name : systems) {
      AwaitCondition("psys", name, "Ready", "True", "", kSoon);
      CreateOperation(name + "-second", name, "Generate");
    }
    std::vector<Pair> pairs;
    for (const std::string& name : systems)
      pairs.push_back(AwaitPair(name, [](const Pair& p) { return !p.inactive.empty(); }));
    return pairs;
  }
  static Json SecretOf(const std::string& system) { return *Get("secret", system + "-outbound"); }
  // As with `kubectl edit`: whatever stands there, with other data.
  static void EditData(const std::string& system, const Edit& edit) {
    Json secret = SecretOf(system);
    edit(secret["data"]);
    MustKubectl({"replace", "-f", "-"}, secret.dump());
  }
  static bool HasEvent(const std::string& system, const std::string& reason) {
    return Eventually(
        [&] {
          const auto reasons = EventReasons(system);
          return std::ranges::find(reasons, reason) != reasons.end();
        },
        kSoon);
  }
};

struct DamageRow {
  std::string name;
  Edit edit;
  std::string ready;   // status of Ready afterwards
  std::string reason;  // of Ready; an Event says the same
};

TEST_F(Damage, Of_any_kind_is_reported_and_with_regeneration_off_nothing_is_written) {
  OperatorProcess op{WithAdmin()};
  const std::vector<DamageRow> rows{
      {"other-key", [](Json& d) { d["tls.key"] = d["inactive.key"]; }, "False", "SecretDamaged"},
      {"empty-key", [](Json& d) { d["tls.key"] = ""; }, "False", "SecretDamaged"},
      {"junk", [](Json& d) { d["tls.crt"] = EncodeBase64(std::string(1'000'000, 'x')); }, "False",
       "SecretDamaged"},
      {"foreign", PutForeignInactive, "True", "InactiveDamaged"},
      {"same",
       [](Json& d) {
         d["inactive.crt"] = d["tls.crt"];
         d["inactive.key"] = d["tls.key"];
       },
       "True", "InactiveDamaged"},
      {"half", [](Json& d) { d.erase("inactive.key"); }, "True", "InactiveDamaged"},
  };
  std::vector<std::string> systems;
  for (const DamageRow& row : rows) systems.push_back("damage-" + row.name);
  const std::vector<Pair> pairs = MakePairs(systems);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    SCOPED_TRACE(rows[i].name);
    EditData(systems[i], rows[i].edit);
    AwaitCondition("psys", systems[i], "Ready", rows[i].ready, rows[i].reason, kSoon);
    EXPECT_TRUE(HasEvent(systems[i], rows[i].reason));
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    SCOPED_TRACE(rows[i].name);
    Json expected = SecretOf(systems[i]).at("data");
    const Json before = expected;
    rows[i].edit(expected);
    if (rows[i].name == "foreign") continue;  // another one each time
    EXPECT_EQ(expected, before) << "somebody wrote the Secret";
  }
  // What mends it: an Activate of the one that is still good, or a Generate.
  EXPECT_EQ(Operate("mend-key", "damage-other-key", "Activate", pairs[0].inactive),
            (Outcome{"Complete", "Activated"}));
  AwaitPair("damage-other-key", [&](const Pair& p) { return p == Pair{pairs[0].inactive, ""}; });
  EXPECT_EQ(Operate("mend-junk", "damage-junk", "Generate"), (Outcome{"Complete", "Generated"}));
  AwaitPair("damage-junk", [&](const Pair& p) {
    return p.inactive == pairs[2].inactive && p.active != pairs[2].active && !p.active.empty();
  });
  EXPECT_EQ(Operate("mend-half", "damage-half", "Generate"), (Outcome{"Complete", "Generated"}));
  AwaitPair("damage-half", [&](const Pair& p) {
    return p.active == pairs[5].active && !p.inactive.empty() && p.inactive != pairs[5].inactive;
  });
  for (const char* system : {"damage-other-key", "damage-junk", "damage-half"})
    AwaitCondition("psys", system, "Ready", "True", "Valid", kSoon);
}

TEST_F(Damage, That_is_none_is_taken_as_it_is) {
  OperatorProcess op{WithAdmin()};
  const std::vector<std::string> systems{"sound-newline", "sound-crlf", "sound-swapped",
                                         "sound-label"};
  const std::vector<Pair> pairs = MakePairs(systems);
  EditData(systems[0], [](Json& data) {
    for (const char* key : {"tls.crt", "tls.key", "ca.crt", "inactive.crt"}) {
      std::string text = Value(data, key);
      text.pop_back();
      data[key] = EncodeBase64(text);
    }
  });
  EditData(systems[1], [](Json& data) {
    for (const char* key : {"tls.crt", "tls.key", "ca.crt", "inactive.key"})
      data[key] = EncodeBase64(WithCrlf(Value(data, key)));
  });
  EditData(systems[2], SwapSlots);
  MustKubectl({"label", "secret", "sound-label-outbound", "-n", "idm", "certpair.dev/system-",
               "app.kubernetes.io/managed-by-"});

  AwaitPair(systems[2],
            [&](const Pair& p) { return p == Pair{pairs[2].inactive, pairs[2].active}; });
  EXPECT_TRUE(HasEvent(systems[2], "CertificateActivated"));
  EXPECT_TRUE(Eventually(
      [&] {
        return SecretOf(systems[3])
                   .at("metadata")
                   .value("labels", Json::object())
                   .value("certpair.dev/system", "") == systems[3];
      },
      kSoon))
      << op.Log();
  for (const std::string& system : systems) {
    // Status has looked at what was written last.
    EXPECT_TRUE(Eventually(
        [&] {
          return Get("psys", system)->at("status").at("secretResourceVersion") ==
                 SecretOf(system).at("metadata").at("resourceVersion");
        },
        kSoon))
        << system;
    AwaitCondition("psys", system, "Ready", "True", "Valid", kSoon);
  }
  EXPECT_EQ(PairOf(systems[0]), pairs[0]);
  EXPECT_EQ(PairOf(systems[1]), pairs[1]);
  EXPECT_EQ(PairOf(systems[3]), pairs[3]);
  EXPECT_EQ(Value(SecretOf(systems[1]).at("data"), "tls.crt").find("\r\n") != std::string::npos,
            true)
      << "what is no damage is not mended";
}

TEST_F(Damage, Of_the_active_one_is_repaired_where_regeneration_is_on) {
  OperatorProcess op{WithAdmin()};
  const std::vector<std::string> systems{"repair-active", "repair-both", "repair-deleted"};
  const std::vector<Pair> pairs = MakePairs(systems, true);
  EditData(systems[0], [](Json& data) { data["tls.key"] = data["inactive.key"]; });
  EditData(systems[1], [](Json& data) {
    data["tls.key"] = EncodeBase64("no key");
    data["inactive.crt"] = EncodeBase64("no certificate");
  });
  MustKubectl({"delete", "secret", systems[2] + "-outbound", "-n", "idm"});

  AwaitPair(systems[0], [&](const Pair& p) {
    return p.inactive == pairs[0].inactive && !p.active.empty() && p.active != pairs[0].active;
  });
  for (const std::size_t i : {std::size_t{1}, std::size_t{2}})
    AwaitPair(systems[i], [&](const Pair& p) {
      return !p.active.empty() && p.active != pairs[i].active && p.active != pairs[i].inactive;
    });
  for (const std::string& system : systems) {
    AwaitCondition("psys", system, "Ready", "True", "Valid", kSoon);
    EXPECT_EQ(FingerprintOf(SecretOf(system), "tls.crt"), PairOf(system).active);
    EXPECT_TRUE(HasEvent(system, "CertificateLost")) << system;
  }
}

TEST_F(Damage, That_cannot_be_mended_is_said_and_the_certificate_goes_on_serving) {
  OperatorProcess op{WithAdmin()};
  const std::vector<Pair> pairs = MakePairs({"sealed"});
  MustKubectl({"patch", "secret", "sealed-outbound", "-n", "idm", "--type=merge", "-p",
               R"({"immutable":true})"});
  EXPECT_TRUE(HasEvent("sealed", "SecretImmutable"));
  EXPECT_EQ(Operate("sealed-activate", "sealed", "Activate", pairs[0].inactive),
            (Outcome{"Failed", "SecretImmutable"}));
  EXPECT_EQ(PairOf("sealed"), pairs[0]);
}

// A Secret's type cannot be changed, only the Secret made anew with another: the pair in it is the
// same.
TEST_F(Damage, Of_its_type_keeps_the_pair_and_it_can_still_be_written) {
  Pair pair;
  {
    OperatorProcess op{WithAdmin()};
    pair = MakePairs({"retyped"}).front();
  }
  Json secret = SecretOf("retyped");
  MustKubectl({"delete", "secret", "retyped-outbound", "-n", "idm"});
  secret["type"] = "Opaque";
  for (const char* field : {"uid", "resourceVersion", "creationTimestamp", "managedFields"})
    secret["metadata"].erase(field);
  MustKubectl({"create", "-f", "-"}, secret.dump());

  OperatorProcess op{WithAdmin()};
  EXPECT_EQ(Operate("retyped-activate", "retyped", "Activate", pair.inactive),
            (Outcome{"Complete", "Activated"}));
  AwaitPair("retyped", [&](const Pair& p) { return p == Pair{pair.inactive, pair.active}; });
  AwaitCondition("psys", "retyped", "Ready", "True", "Valid", kSoon);
}

TEST_F(Damage, Thresholds_in_any_order_and_longer_than_the_life_warn_when_they_can) {
  OperatorProcess op{WithAdmin()};
  Json system = System("thresholds", "damage-ca");
  system["spec"]["notifications"] = {{"warnBefore", {"72h", "9000h", "720h"}}};
  Apply(system);
  AwaitCondition("psys", "thresholds", "Ready", "True", "Valid", kSoon);
  const Json status = Get("psys", "thresholds")->at("status");
  EXPECT_EQ(status.at("nextTransition").at("action"), "Warn");
  const auto result =
      RunProcess({"date", "-u", "-d", status.at("expires").get<std::string>() + " - 720 hours",
                  "+%Y-%m-%dT%H:%M:%SZ"});
  EXPECT_EQ(status.at("nextTransition").at("at").get<std::string>() + "\n", result.out);
}

}  // namespace
}  // namespace certpair::test
