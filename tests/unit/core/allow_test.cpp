#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/core/builders.hpp"

namespace certpair::core::testing {
namespace {

using ::testing::HasSubstr;

struct PatternCase {
  std::string_view pattern;
  std::string_view text;
  bool matches;
};
class Pattern : public ::testing::TestWithParam<PatternCase> {};
TEST_P(Pattern, Matches_the_whole_text_or_not) {
  const auto& [pattern, text, matches] = GetParam();
  EXPECT_EQ(MatchesPattern(pattern, text), matches) << pattern << " against " << text;
}
INSTANTIATE_TEST_SUITE_P(
    R25, Pattern,
    ::testing::Values(PatternCase{"abap", "abap", true}, PatternCase{"abap", "abap-prod", false},
                      PatternCase{"abap", "my-abap", false}, PatternCase{"abap-*", "abap-", true},
                      PatternCase{"abap-*", "abap-prod", true},
                      PatternCase{"abap-*", "xabap-prod", false}, PatternCase{"*", "", true},
                      PatternCase{"*", "anything", true}, PatternCase{"", "", true},
                      PatternCase{"", "a", false}, PatternCase{"*-prod", "abap-prod", true},
                      PatternCase{"*-prod", "abap-prod2", false}, PatternCase{"a*a", "a", false},
                      PatternCase{"a*a", "aa", true}, PatternCase{"a*b*c", "a-b-b-c", true},
                      PatternCase{"a*b*c", "a-c-b", false}, PatternCase{"a*bc*bc", "abc", false},
                      PatternCase{"a*bc*bc", "abcbc", true}, PatternCase{"**", "x", true},
                      PatternCase{"a.c", "abc", false}, PatternCase{"ABAP", "abap", false},
                      PatternCase{"a*b**c", "axbyc", true}));

// With these a value reads as other attributes, or as another name.
TEST(Pattern, A_star_stands_for_no_separator_and_for_nothing_unseen) {
  for (const std::string_view bad :
       {"/",      ",",      "=",      "+",      "\n",     "\t",     "\x7F",
        "\u0085", "\u00AD", "\u061C", "\u200B", "\u200D", "\u200E", "\u2028",
        "\u202E", "\u2060", "\u2066", "\u2069", "\u3164", "\uFEFF", "\xFF"}) {
    SCOPED_TRACE(::testing::PrintToString(bad));
    const std::string text = fmt::format("abap-x{}y", bad);
    const bool is_text = bad != "\xFF";
    EXPECT_EQ(MatchesPattern("abap-*", text), !is_text);
    EXPECT_EQ(MatchesPattern("*y", text), !is_text);
    EXPECT_EQ(MatchesPattern("a*p*y", text), !is_text);
    EXPECT_EQ(MatchesPattern("a*-*x*y", text), !is_text);
    EXPECT_TRUE(MatchesPattern(text, text));
    EXPECT_TRUE(MatchesPattern(fmt::format("abap-*{}*", bad), text));
  }
  EXPECT_TRUE(MatchesPattern("abap-*", "abap-Zürich 東京 (test).1_\"#;\U0001F511"));
  EXPECT_TRUE(MatchesPattern("*/*/c", "a/b/c"));
  EXPECT_FALSE(MatchesPattern("*/c", "a/b/c"));
}

TEST(Pattern, Of_many_stars_against_a_long_text_ends_soon) {
  std::string pattern;
  for (int i = 0; i < 60; ++i) pattern += "a*";
  EXPECT_FALSE(MatchesPattern(pattern + "b", std::string(5000, 'a')));
}

std::optional<std::string> Ask(const Observation& o) {
  return WhyNotAllowed(o.authority, o.spec.subject, o.identity);
}

struct AllowCase {
  std::string name;
  void (*change)(Observation&);
  bool allowed;
};
class Allow : public ::testing::TestWithParam<AllowCase> {};
TEST_P(Allow, Is_as_the_table_says) {
  Observation o = Fresh();
  GetParam().change(o);
  EXPECT_EQ(!Ask(o), GetParam().allowed) << Ask(o).value_or("");
}

NamespaceSelection& Selection(Observation& o) { return o.authority.allow[0].namespaces; }
void Select(Observation& o, LabelRequirement::Operator op, std::string key,
            std::vector<std::string> values = {}) {
  Selection(o) = NamespaceSelection{false, {}, {{std::move(key), op, std::move(values)}}};
}
using enum LabelRequirement::Operator;

INSTANTIATE_TEST_SUITE_P(
    R25, Allow,
    ::testing::Values(
        AllowCase{"as_it_is", [](Observation&) {}, true},
        AllowCase{"no_rule_means_nobody", [](Observation& o) { o.authority.allow.clear(); }, false},
        AllowCase{"another_namespace", [](Observation& o) { o.identity.namespace_ = "shop"; },
                  false},
        AllowCase{"all_namespaces",
                  [](Observation& o) {
                    o.identity.namespace_ = "shop";
                    Selection(o) = NamespaceSelection{true, {}, {}};
                  },
                  true},
        AllowCase{"an_empty_selection_selects_nothing",
                  [](Observation& o) { Selection(o) = NamespaceSelection{}; }, false},
        AllowCase{"label_in", [](Observation& o) { Select(o, In, "team", {"identity"}); }, true},
        AllowCase{"label_in_others", [](Observation& o) { Select(o, In, "team", {"x"}); }, false},
        AllowCase{"label_in_absent", [](Observation& o) { Select(o, In, "no", {"x"}); }, false},
        AllowCase{"label_not_in", [](Observation& o) { Select(o, NotIn, "team", {"x"}); }, true},
        AllowCase{"label_not_in_absent", [](Observation& o) { Select(o, NotIn, "no", {"x"}); },
                  true},
        AllowCase{"label_not_in_equal",
                  [](Observation& o) { Select(o, NotIn, "team", {"identity"}); }, false},
        AllowCase{"label_exists", [](Observation& o) { Select(o, Exists, "team"); }, true},
        AllowCase{"label_exists_absent", [](Observation& o) { Select(o, Exists, "no"); }, false},
        AllowCase{"label_does_not_exist", [](Observation& o) { Select(o, DoesNotExist, "no"); },
                  true},
        AllowCase{"label_does_not_exist_but_does",
                  [](Observation& o) { Select(o, DoesNotExist, "team"); }, false},
        AllowCase{"all_labels_must_hold",
                  [](Observation& o) {
                    Select(o, Exists, "team");
                    Selection(o).labels.push_back({"no", Exists, {}});
                  },
                  false},
        AllowCase{"another_common_name",
                  [](Observation& o) { o.spec.subject.common_name = "sap-prod"; }, false},
        AllowCase{"an_attribute_without_a_pattern_must_be_absent",
                  [](Observation& o) { o.spec.subject.countries = {"DE"}; }, false},
        AllowCase{"every_value_needs_a_pattern",
                  [](Observation& o) { o.spec.subject.organizations.emplace_back("Evil"); }, false},
        AllowCase{"an_attribute_with_a_pattern_may_be_absent",
                  [](Observation& o) { o.spec.subject.organizations.clear(); }, true},
        AllowCase{"a_required_attribute_that_is_there",
                  [](Observation& o) { o.authority.allow[0].required = {"organizations"}; }, true},
        AllowCase{"a_required_attribute_that_is_absent",
                  [](Observation& o) {
                    o.authority.allow[0].required = {"organizations"};
                    o.spec.subject.organizations.clear();
                  },
                  false},
        AllowCase{
            "every_required_attribute",
            [](Observation& o) { o.authority.allow[0].required = {"organizations", "countries"}; },
            false},
        AllowCase{"a_required_attribute_of_another_version",
                  [](Observation& o) { o.authority.allow[0].required = {"emails"}; }, false},
        AllowCase{"rules_do_not_add_up",
                  [](Observation& o) {
                    AllowRule other = o.authority.allow[0];
                    other.common_names = {"sap-*"};
                    other.countries = {"DE"};
                    o.authority.allow.push_back(other);
                    o.spec.subject.countries = {"DE"};
                  },
                  false},
        AllowCase{"a_later_rule_will_do",
                  [](Observation& o) {
                    AllowRule other = o.authority.allow[0];
                    other.countries = {"D*"};
                    o.authority.allow.push_back(other);
                    o.spec.subject.countries = {"DE"};
                  },
                  true}),
    [](const auto& test) { return test.param.name; });

TEST(Allow, A_refusal_names_what_does_not_fit_and_the_rule_to_add) {
  Observation o = Fresh();
  o.spec.subject.countries = {"DE"};
  const auto refusal = Ask(o);
  ASSERT_TRUE(refusal);
  EXPECT_THAT(*refusal, HasSubstr("countries \"DE\""));
  EXPECT_THAT(*refusal, HasSubstr("{namespaces: {names: [\"idm\"]}, commonNames: [\"abap-prod\"], "
                                  "organizations: [\"Example\"], countries: [\"DE\"]}"));
}

TEST(Allow, A_refusal_names_the_attribute_that_is_missing) {
  Observation o = Fresh();
  o.authority.allow[0].required = {"organizations"};
  o.spec.subject.organizations.clear();
  EXPECT_THAT(*Ask(o),
              HasSubstr("lets namespace \"idm\" have no certificate without organizations"));
}

// Whoever copies the rule must not allow more than the subject that was refused.
TEST(Allow, The_rule_of_a_refusal_cannot_be_forged_by_the_subject) {
  Observation o = Fresh();
  o.spec.subject.common_name = R"(x"], organizations: ["y\)";
  o.spec.subject.organizations = {"a\u202Eb\u200B"};
  const std::string refusal = *Ask(o);
  EXPECT_THAT(refusal, HasSubstr(R"(commonNames: ["x\"], organizations: [\"y\\"], )"));
  EXPECT_THAT(refusal, HasSubstr(R"(organizations: ["a\u202Eb\u200B"]})"));
  EXPECT_THAT(refusal, ::testing::Not(HasSubstr("\u202E")));
}

TEST(Allow, A_star_in_a_subject_is_never_suggested_as_a_pattern) {
  for (const bool in_name : {true, false}) {
    Observation o = Fresh();
    (in_name ? o.spec.subject.common_name : o.spec.subject.organizations[0]) = "*";
    o.authority.allow[0].common_names = {"abap-prod"};
    const std::string refusal = *Ask(o);
    EXPECT_THAT(refusal, ::testing::Not(HasSubstr("add to its spec.allow")));
    EXPECT_THAT(refusal, HasSubstr(in_name ? "The subject's commonName holds a \"*\""
                                           : "The subject's organizations holds a \"*\""));
  }
}

// A label that cannot be read is not absent.
TEST(Allow, Unread_labels_allow_nothing_and_the_refusal_says_so) {
  Observation o = Fresh();
  o.identity.namespace_known = false;
  o.identity.namespace_labels.clear();
  EXPECT_FALSE(Ask(o)) << "its name is known all the same";
  const std::pair<LabelRequirement::Operator, std::vector<std::string>> selectors[] = {
      {In, {"identity"}}, {NotIn, {"x"}}, {Exists, {}}, {DoesNotExist, {}}};
  for (const auto& [op, values] : selectors) {
    Select(o, op, "team", values);
    const auto refusal = Ask(o);
    ASSERT_TRUE(refusal) << static_cast<int>(op);
    EXPECT_THAT(*refusal, HasSubstr("labels"));
    EXPECT_THAT(*refusal, HasSubstr("cannot be read (yet)"));
  }
  o.spec.subject.countries = {"DE"};  // no label would help
  EXPECT_THAT(*Ask(o), ::testing::Not(HasSubstr("cannot be read")));
}

TEST(Allow, A_Generate_waits_for_labels_that_cannot_be_read_yet) {
  Observation o = Fresh();
  Select(o, NotIn, "team", {"x"});
  o.identity.namespace_known = false;
  o = WithPair(std::move(o), Made(1, kNow - days{10}));
  o.operations = {Op(OperationAction::Generate, 1)};
  const Decision waiting = Decide(o);
  EXPECT_FALSE(waiting.change);
  EXPECT_TRUE(waiting.verdicts.empty());
  o.identity.namespace_known = true;
  EXPECT_EQ(NameOf(Decide(o).change), "IssueInactive");
}

TEST(Allow, Permission_withdrawn_keeps_the_pair_and_stops_issuance) {
  Observation o = Fresh(kNow);
  o.spec.regeneration_enabled = true;
  o = WithPair(std::move(o), Made(1, kNow - days{360}));  // in its window
  EXPECT_EQ(NameOf(Decide(o).change), "Regenerate");
  o.authority.allow.clear();
  const Decision refused = Decide(o);
  EXPECT_FALSE(refused.change);
  EXPECT_EQ(Says(refused.status, "Ready"), "True/Valid");
  EXPECT_EQ(Says(refused.status, "AutomaticRegeneration"), "False/NotAllowed");
  EXPECT_EQ(Says(refused.status, "ExpiringSoon"), "True/ActionNeeded");
  EXPECT_EQ(Reasons(refused.events), std::vector<std::string>{"Warning NotAllowed"});
}

}  // namespace
}  // namespace certpair::core::testing
