#include "support/pair_test.hpp"

namespace certpair::test {

PairTest::Pair PairTest::PairOf(const std::string& system) {
  Pair pair;
  const Json object = Get("psys", system).value_or(Json::object());
  for (const Json& entry : object.value(Json::json_pointer{"/status/certificates"}, Json::array()))
    (entry.at("state") == "Active" ? pair.active : pair.inactive) = entry.at("fingerprint");
  return pair;
}

PairTest::Pair PairTest::AwaitPair(const std::string& system,
                                   const std::function<bool(const Pair&)>& holds,
                                   std::chrono::seconds limit) {
  Pair pair;
  EXPECT_TRUE(Eventually(
      [&] {
        pair = PairOf(system);
        return holds(pair);
      },
      limit))
      << system << ": active " << pair.active << ", inactive " << pair.inactive;
  return pair;
}

std::string PairTest::FingerprintOf(const Json& secret, const std::string& key) {
  const auto result = RunProcess({"openssl", "x509", "-noout", "-fingerprint", "-sha256"},
                                 {.input = SecretValue(secret, key)});
  const std::size_t equals = result.out.find('=');
  return equals == std::string::npos ? "" : result.out.substr(equals + 1, 95);
}

PairTest::Outcome PairTest::OutcomeOf(const std::string& operation) {
  const Json now = Get("certop", operation).value_or(Json::object());
  for (const char* type : {"Complete", "Failed"})
    if (const Told told = ConditionOf(now, type); told.status == "True") return {type, told.reason};
  return {};
}

PairTest::Outcome PairTest::AwaitOutcome(const std::string& operation) {
  Outcome outcome;
  EXPECT_TRUE(Eventually(
      [&] {
        outcome = OutcomeOf(operation);
        return !outcome.first.empty();
      },
      kSoon))
      << operation << " did not end";
  return outcome;
}

PairTest::Outcome PairTest::Operate(const std::string& name, const std::string& system,
                                    const std::string& action, const std::string& fingerprint) {
  CreateOperation(name, system, action, fingerprint);
  return AwaitOutcome(name);
}

}  // namespace certpair::test
