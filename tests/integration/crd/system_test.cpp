// What the API server says to a ProvisioningSystem: accepted, or exactly which words.
#include "table.hpp"

namespace certpair::test {
namespace {

using SystemCrd = CrdTest;

// Patches of a part of the spec, so that the tables show what differs and no more.
Json Spec(const Json& spec) { return {{"spec", spec}}; }
Json Subject(const Json& subject) { return Spec({{"certificate", {{"subject", subject}}}}); }
Json Validity(const std::string& text) { return Spec({{"certificate", {{"validity", text}}}}); }
Json Key(const Json& key) { return Spec({{"certificate", {{"key", key}}}}); }
Json Secret(const Json& secret) { return Spec({{"secret", secret}}); }
Json WarnBefore(const Json& list) { return Spec({{"notifications", {{"warnBefore", list}}}}); }
Json Subscribers(const Json& list) { return Spec({{"notifications", {{"subscribers", list}}}}); }
Json Regeneration(const std::string& validity, const std::string& before) {
  return Spec({{"certificate", {{"validity", validity}}},
               {"automaticRegeneration", {{"enabled", true}, {"before", before}}}});
}
Json Labels(const std::string& key, const std::string& value) {
  return Secret({{"labels", {{key, value}}}});
}
Json Annotations(const std::string& key, const std::string& value) {
  return Secret({{"annotations", {{key, value}}}});
}

const std::string kDuration =
    "must be hours, minutes and seconds, in this order, such as 8760h, 36h or 1h30m. There is no "
    "unit for days: a day is 24h, a year 8760h";
const std::string kControl = "must not contain control characters such as line breaks or tabs";
const std::string kLink =
    "must not contain a link or an address: remove @, //, www. and what follows a host name "
    "(example.com is allowed, example.com/path is not)";
const std::string kBlank = "must not begin or end with a space";
const std::string kPrefix =
    "must not use the prefixes certpair.dev/, *kubernetes.io/ or *k8s.io/, because other "
    "controllers act on them";

std::string Invalid(const std::string& path, const std::string& value, const std::string& message) {
  return path + ": Invalid value: \"" + value + "\": " + message;
}

TEST_F(SystemCrd, Defaults_are_those_that_the_descriptions_name) {
  Create(MinimalSystem(), "defaulted");
  const Json spec = Get("psys/defaulted")["spec"];
  EXPECT_EQ(spec, Json::parse(R"({
    "type": "Target", "authentication": "ClientCertificateAuthentication",
    "peerMatching": "SubjectAndIssuer", "issuance": "Automatic", "authorityRef": {"name": "ca"},
    "certificate": {"subject": {"commonName": "abap"}, "validity": "8760h", "key": {"algorithm": "RSA"}},
    "secret": {"deletionPolicy": "Delete"},
    "automaticRegeneration": {"enabled": false},
    "activation": {"atExpiry": "Activate"},
    "notifications": {"warnBefore": ["720h", "336h", "72h"]}
  })"));
}

TEST_F(SystemCrd, An_unknown_or_misspelt_field_is_refused_by_name) {
  Check(MinimalSystem(),
        {{"misspelt", Spec({{"certificate", {{"validty", "8760h"}}}}),
          R"(unknown field "spec.certificate.validty")"},
         {"unknown", Spec({{"colour", "blue"}}), R"(unknown field "spec.colour")"},
         {"in the wrong place", Json{{"validity", "8760h"}}, R"(unknown field "validity")"}});
}

TEST_F(SystemCrd, What_is_required_must_be_there) {
  Check(
      MinimalSystem(),
      {{"no spec", Json{{"spec", nullptr}}, "spec: Required value"},
       {"no type", Spec({{"type", nullptr}}), "spec.type: Required value"},
       {"no authority", Spec({{"authorityRef", nullptr}}), "spec.authorityRef: Required value"},
       {"no certificate", Spec({{"certificate", nullptr}}), "spec.certificate: Required value"},
       {"no such type", Spec({{"type", "Sink"}}),
        R"(spec.type: Unsupported value: "Sink": supported values: "Source", "Target", "Proxy")"}});
}

TEST_F(SystemCrd, A_validity_is_hours_minutes_and_seconds_from_two_minutes) {
  const std::string path = "spec.certificate.validity";
  const std::string two = "must be at least two minutes (2m)";
  Check(MinimalSystem(), {{"two minutes", Validity("2m"), ""},
                          {"the same in seconds", Validity("120s"), ""},
                          {"mixed", Validity("1h30m15s"), ""},
                          {"as a typed client rewrites it", Validity("8760h0m0s"), ""},
                          {"too short", Validity("119s"), Invalid(path, "119s", two)},
                          {"nothing at all", Validity("0s"), Invalid(path, "0s", two)},
                          {"days", Validity("365d"), Invalid(path, "365d", kDuration)},
                          {"words", Validity("2 weeks"), Invalid(path, "2 weeks", kDuration)},
                          {"ISO 8601", Validity("P1D"), Invalid(path, "P1D", kDuration)},
                          {"fractions", Validity("1.5h"), Invalid(path, "1.5h", kDuration)},
                          {"negative", Validity("-2h"), Invalid(path, "-2h", kDuration)},
                          {"no unit", Validity("8760"), Invalid(path, "8760", kDuration)},
                          {"wrong order", Validity("30m1h"), Invalid(path, "30m1h", kDuration)},
                          {"empty", Validity(""), Invalid(path, "", kDuration)},
                          {"a number", Spec({{"certificate", {{"validity", 8760}}}}),
                           "spec.certificate.validity: Invalid value: \"integer\": "
                           "spec.certificate.validity in body must be "
                           "of type string: \"integer\""}});
}

TEST_F(SystemCrd, Before_must_be_shorter_than_the_validity) {
  const std::string path = "spec.automaticRegeneration.before";
  const std::string longer =
      "automaticRegeneration.before must be shorter than certificate.validity, or a new "
      "certificate would be "
      "due for regeneration at once";
  const std::string refused = path + ": Invalid value: " + longer;
  Check(MinimalSystem(),
        {{"shorter", Regeneration("8760h", "336h"), ""},
         {"shorter by a second", Regeneration("1h", "59m59s"), ""},
         {"equal", Regeneration("336h", "336h"), refused},
         {"equal in another unit", Regeneration("1h", "60m"), refused},
         {"longer", Regeneration("24h", "336h"), refused},
         {"longer than the default", Spec({{"automaticRegeneration", {{"before", "9000h"}}}}),
          refused},
         {"no duration: said once", Regeneration("8760h", "14d"), Invalid(path, "14d", kDuration)},
         {"nothing", Regeneration("8760h", "0s"),
          Invalid(path, "0s", "must be longer than 0s, such as 72h")}});
}

TEST_F(SystemCrd, A_common_name_has_at_most_64_characters_of_any_script) {
  const std::string path = "spec.certificate.subject.commonName";
  std::string umlauts;
  for (int i = 0; i < 64; ++i) {
    umlauts += "ü";
  }
  Check(MinimalSystem(),
        {{"64 characters", Subject({{"commonName", std::string(64, 'x')}}), ""},
         {"64 characters of two bytes", Subject({{"commonName", umlauts}}), ""},
         {"beyond the basic plane", Subject({{"commonName", "日本 🔑 Ωmega"}}), ""},
         {"characters that a DN escapes", Subject({{"commonName", "a,b+c=\"d\"\\<e>;#"}}), ""},
         {"65 characters", Subject({{"commonName", std::string(65, 'x')}}),
          path + ": Too long: may not be more than 64 bytes"},
         {"empty DN", Subject({{"commonName", nullptr}}), path + ": Required value"},
         {"empty", Subject({{"commonName", ""}}),
          path + ": Invalid value: \"\": spec.certificate.subject.commonName in body should be at "
                 "least 1 chars long"},
         {"only a blank", Subject({{"commonName", " "}}), Invalid(path, " ", kBlank)},
         {"a blank at the end", Subject({{"commonName", "abap "}}), Invalid(path, "abap ", kBlank)},
         {"a line break", Subject({{"commonName", "a\nb"}}), Invalid(path, "a\\nb", kControl)},
         {"a NUL", Subject({{"commonName", std::string("a\0b", 3)}}),
          Invalid(path, "a\\x00b", kControl)},
         {"DEL",
          Subject({{"commonName",
                    "a\x7F"
                    "b"}}),
          Invalid(path, "a\\x7fb", kControl)},
         {"a C1 control", Subject({{"commonName", "a\u0085b"}}),
          Invalid(path, "a\\u0085b", kControl)}});
}

TEST_F(SystemCrd, The_other_attributes_of_a_subject_have_their_own_limits) {
  const std::string subject = "spec.certificate.subject";
  const std::string country = "must be an ISO 3166 country code of two capital letters, such as DE";
  Check(MinimalSystem(),
        {{"all of them",
          Subject(Json::parse(
              R"({"organizations": ["Example", "Beispiel GmbH"], "organizationalUnits": ["IT"],
             "countries": ["DE"], "localities": ["Zürich"], "provinces": ["Baden-Württemberg"]})")),
          ""},
         {"empty lists, as templates write them",
          Subject(Json::parse(R"({"organizations": [], "countries": []})")), ""},
         {"three letters", Subject({{"countries", {"DEU"}}}),
          Invalid(subject + ".countries[0]", "DEU", country)},
         {"one letter", Subject({{"countries", {"D"}}}),
          Invalid(subject + ".countries[0]", "D", country)},
         {"small letters", Subject({{"countries", {"de"}}}),
          Invalid(subject + ".countries[0]", "de", country)},
         {"digits", Subject({{"countries", {"DE", "49"}}}),
          Invalid(subject + ".countries[1]", "49", country)},
         {"a long organization", Subject({{"organizations", {std::string(65, 'x')}}}),
          subject + ".organizations[0]: Too long: may not be more than 64 bytes"},
         {"a long locality", Subject({{"localities", {std::string(129, 'x')}}}),
          subject + ".localities[0]: Too long: may not be more than 128 bytes"},
         {"a tab in a unit", Subject({{"organizationalUnits", {"a\tb"}}}),
          Invalid(subject + ".organizationalUnits[0]", "a\\tb", kControl)},
         {"an empty province", Subject({{"provinces", {""}}}),
          subject + ".provinces[0]: Invalid value: \"\": " + subject +
              ".provinces[0] in body should be at least 1 chars long"},
         {"nine organizations",
          Subject({{"organizations", {"1", "2", "3", "4", "5", "6", "7", "8", "9"}}}),
          subject + ".organizations: Too many: 9: must have at most 8 items"}});
}

TEST_F(SystemCrd, A_key_has_a_size_that_its_algorithm_knows) {
  const std::string size = "spec.certificate.key.size";
  const auto refused = [&](const std::string& message) {
    return size + ": Invalid value: " + message;
  };
  const std::string rsa = "an RSA key has 2048, 3072 or 4096 bits";
  const std::string ecdsa = "an ECDSA key has 256 (P-256) or 384 (P-384) bits";
  Check(
      MinimalSystem(),
      {{"RSA 2048", Key({{"algorithm", "RSA"}, {"size", 2048}}), ""},
       {"RSA 3072", Key({{"algorithm", "RSA"}, {"size", 3072}}), ""},
       {"RSA 4096", Key({{"algorithm", "RSA"}, {"size", 4096}}), ""},
       {"a size alone is of RSA", Key({{"size", 4096}}), ""},
       {"ECDSA 256", Key({{"algorithm", "ECDSA"}, {"size", 256}}), ""},
       {"ECDSA 384", Key({{"algorithm", "ECDSA"}, {"size", 384}}), ""},
       {"ECDSA", Key({{"algorithm", "ECDSA"}}), ""},
       {"Ed25519", Key({{"algorithm", "Ed25519"}}), ""},
       {"RSA 1024", Key({{"algorithm", "RSA"}, {"size", 1024}}), refused(rsa)},
       {"RSA 3000", Key({{"size", 3000}}), refused(rsa)},
       {"RSA 256", Key({{"algorithm", "RSA"}, {"size", 256}}), refused(rsa)},
       {"RSA 0", Key({{"algorithm", "RSA"}, {"size", 0}}), refused(rsa)},
       {"ECDSA 2048", Key({{"algorithm", "ECDSA"}, {"size", 2048}}), refused(ecdsa)},
       {"ECDSA 521", Key({{"algorithm", "ECDSA"}, {"size", 521}}), refused(ecdsa)},
       {"Ed25519 256", Key({{"algorithm", "Ed25519"}, {"size", 256}}),
        refused("an Ed25519 key has a fixed size: leave size out")},
       {"DSA", Key({{"algorithm", "DSA"}}),
        R"(spec.certificate.key.algorithm: Unsupported value: "DSA": supported values: "RSA", "ECDSA", "Ed25519")"}});
}

TEST_F(SystemCrd, Labels_and_annotations_of_other_controllers_are_refused) {
  const std::string labels = "spec.secret.labels";
  const std::string annotations = "spec.secret.annotations";
  const std::string object = ": Invalid value: ";
  Check(
      MinimalSystem(),
      {{"one of their own", Labels("example.com/team", "identity"), ""},
       {"without a domain", Labels("team", ""), ""},
       {"an annotation of any text", Annotations("example.com/note", "ask the identity team: 123"),
        ""},
       {"ours", Labels("certpair.dev/system", "other"), labels + object + kPrefix},
       {"below ours", Labels("x.certpair.dev/y", "z"), labels + object + kPrefix},
       {"Kubernetes' own", Labels("app.kubernetes.io/managed-by", "me"), labels + object + kPrefix},
       {"the bare domain", Labels("kubernetes.io/x", "y"), labels + object + kPrefix},
       {"k8s.io", Labels("x.k8s.io/y", "z"), labels + object + kPrefix},
       {"one that ends like it", Labels("foo-kubernetes.io/y", "z"), labels + object + kPrefix},
       {"not the domain, though it is in the name", Labels("example.com/kubernetes.io", "z"), ""},
       {"our annotation", Annotations("certpair.dev/system-uid", "1"),
        annotations + object + kPrefix},
       {"an annotation that others obey", Annotations("service.beta.kubernetes.io/x", "y"),
        annotations + object + kPrefix},
       {"no label value", Labels("team", "a b"),
        labels + object +
            "a value must be at most 63 letters, digits, '-', '_' and '.', with a letter or digit "
            "at both ends"},
       {"no label key", Labels("a b", "c"),
        labels + object +
            "a key must be a name of at most 63 letters, digits, '-', '_' and '.', with a letter "
            "or digit at both ends, after an optional domain and '/': example.com/team"}});
}

TEST_F(SystemCrd, A_name_must_fit_into_a_label) {
  const auto named = [](std::size_t length) {
    return Json{{"metadata", {{"name", std::string(length, 'x')}}}};
  };
  Check(MinimalSystem(), {{"63", named(63), ""},
                          {"64", named(64),
                           "<nil>: Invalid value: metadata.name must have at most 63 characters, "
                           "because it becomes the value of a label"},
                          {"a Secret's name", Secret({{"name", "abap-prod.tls"}}), ""},
                          {"no Secret's name", Secret({{"name", "Abap_Prod"}}),
                           Invalid("spec.secret.name", "Abap_Prod",
                                   "must be the name of a Secret: lower-case letters, digits, '-' "
                                   "and '.', with a letter or digit at both ends")}});
}

TEST_F(SystemCrd, A_system_names_an_authority_by_a_possible_name) {
  const auto of = [](const std::string& name) {
    return Spec({{"authorityRef", {{"name", name}}}});
  };
  const auto refused = [](const std::string& name) {
    return Invalid(
        "spec.authorityRef.name", name,
        "must be the name of a CertificateAuthority: lower-case letters, digits, '-' and "
        "'.', with a letter or digit at both ends");
  };
  Check(MinimalSystem(), {{"a name", of("corporate-ca.2026"), ""},
                          {"the folder above", of(".."), refused("..")},
                          {"a path", of("a/b"), refused("a/b")},
                          {"capitals", of("CA"), refused("CA")}});
}

TEST_F(SystemCrd, The_same_time_of_warning_twice_is_refused) {
  const std::string path = "spec.notifications.warnBefore";
  const std::string twice = "must not have the same time twice (60m is 1h)";
  Check(MinimalSystem(),
        {{"any order", WarnBefore({"72h", "720h"}), ""},
         {"none is none", WarnBefore(Json::array()), ""},
         {"the same text", WarnBefore({"72h", "72h"}), path + ": Invalid value: " + twice},
         {"the same value", WarnBefore({"1h", "60m"}), path + ": Invalid value: " + twice},
         {"no duration: said once", WarnBefore({"72h", "3d"}),
          Invalid(path + "[1]", "3d", kDuration)},
         {"nothing", WarnBefore({"0s"}),
          Invalid(path + "[0]", "0s", "must be longer than 0s, such as 72h")},
         {"nine", WarnBefore({"1h", "2h", "3h", "4h", "5h", "6h", "7h", "8h", "9h"}),
          path + ": Too many: 9: must have at most 8 items"}});
}

Json Crowd(int size) {
  Json list = Json::array();
  for (int i = 0; i < size; ++i) {
    list.push_back({{"email", "p" + std::to_string(i) + "@example.com"}});
  }
  return list;
}

TEST_F(SystemCrd, Subscribers_are_at_most_50_different_lower_case_addresses) {
  const std::string path = "spec.notifications.subscribers";
  const std::string address =
      "must be an e-mail address such as identity-team@example.com: letters, digits and . _ + - = "
      "& "
      "' # ~ before the @, beginning with a letter, a digit or _, and a domain with a dot after it";
  const auto one = [](const std::string& email) {
    return Subscribers(Json::array({{{"email", email}}}));
  };
  Check(MinimalSystem(),
        {{"one with a name",
          Subscribers(Json::parse(
              R"([{"displayName": "Identität", "email": "idm+certs@sub.example.com"}])")),
          ""},
         {"fifty", Subscribers(Crowd(50)), ""},
         {"fifty-one", Subscribers(Crowd(51)), path + ": Too many: 51: must have at most 50 items"},
         {"twice",
          Subscribers(Json::parse(
              R"([{"email": "a@example.com"}, {"displayName": "A", "email": "a@example.com"}])")),
          path + R"([1]: Duplicate value: {"email":"a@example.com"})"},
         {"upper case", one("Idm@example.com"),
          Invalid(path + "[0].email", "Idm@example.com", "must be in lower case")},
         {"quoted local part", one("\"a b\"@example.com"),
          Invalid(path + "[0].email", "\\\"a b\\\"@example.com", address)},
         {"beyond ASCII", one("größe@example.com"),
          Invalid(path + "[0].email", "größe@example.com", address)},
         {"300 characters", one("a@" + std::string(298, 'b')),
          path + "[0].email: Too long: may not be more than 254 bytes"},
         {"no at", one("idm.example.com"), Invalid(path + "[0].email", "idm.example.com", address)},
         {"a name with it", one("idm <idm@example.com>"),
          Invalid(path + "[0].email", "idm <idm@example.com>", address)},
         {"two of them", one("a@example.com,b@example.com"),
          Invalid(path + "[0].email", "a@example.com,b@example.com", address)},
         {"a header", one("a@example.com\r\nbcc: b@example.com"),
          Invalid(path + "[0].email", "a@example.com\\r\\nbcc: b@example.com", address)},
         {"255 characters", one("a@" + std::string(249, 'x') + ".com"),
          path + "[0].email: Too long: may not be more than 254 bytes"},
         {"no address", Subscribers(Json::parse(R"([{"displayName": "A"}])")),
          path + "[0].email: Required value"},
         {"a header in the name",
          Subscribers(Json::parse(R"([{"displayName": "A\r\nBcc: b", "email": "a@example.com"}])")),
          Invalid(path + "[0].displayName", "A\\r\\nBcc: b", kControl)}});
}

// The same rows as in tests/unit/core/recipient_test.cpp.
TEST_F(SystemCrd, Addresses_that_a_server_may_misread_are_refused) {
  const auto answer_to = [](const std::vector<std::string>& addresses) {
    Json list = Json::array();
    for (const std::string& email : addresses) list.push_back({{"email", email}});
    Json manifest = MinimalSystem();
    manifest.merge_patch(Subscribers(list));
    return AnswerToCreate(manifest);
  };
  const std::vector<std::string> refused{
      "|x@example.com", "-oq@example.com",  "a%b@example.com",  "a!b@example.com",
      "/x@example.com", "`x`@example.com",  "$x@example.com",   "x*@example.com",
      ".x@example.com", "x.@example.com",   "x..y@example.com", "\"x\"@example.com",
      "x@localhost",    "x@mail.localhost", "x@example",        "x@localhost.localdomain",
      "x@127.0.0.1",    "x@[127.0.0.1]",    "x@[ipv6:::1]",     "x@example.com."};
  const std::string answer = answer_to(refused);
  for (std::size_t n = 0; n < refused.size(); ++n)
    EXPECT_NE(answer.find("subscribers[" + std::to_string(n) + "].email: Invalid value"),
              std::string::npos)
        << refused[n] << ": " << answer;
  EXPECT_EQ(answer_to({"o'neil@example.com", "anna+certs@example.com", "r&d@example.com",
                       "_x@a-b.example.com", "x-y.z=1#2~3@example.co", "x@xn--bcher-kva.de"}),
            "");
}

TEST_F(SystemCrd, Display_names_contain_no_link) {
  const auto answer_to = [](const std::vector<std::string>& names) {
    Json list = Json::array();
    for (const std::string& name : names)
      list.push_back(
          {{"email", "p" + std::to_string(list.size()) + "@example.com"}, {"displayName", name}});
    Json manifest = MinimalSystem();
    manifest.merge_patch(Subscribers(list));
    return AnswerToCreate(manifest);
  };
  const std::vector<std::string> refused{
      "anna@example.com", "see https://example.com", "//example.com",    "www.example.com",
      "WWW.example.com",  "example.com/login",       "example.com:8080", "example.com?q",
      "mailto:anna",      "bücher.example/x"};
  const std::string answer = answer_to(refused);
  for (std::size_t n = 0; n < refused.size(); ++n)
    EXPECT_NE(answer.find("subscribers[" + std::to_string(n) + "].displayName: Invalid value"),
              std::string::npos)
        << refused[n] << ": " << answer;
  EXPECT_EQ(answer_to({"HR (hr.example.com)", "Dr. Anna Berg", "S/4HANA: prod", "24/7", "a / b",
                       "v1.2", "人事システム", "J.R. Berg"}),
            "");
  Check(MinimalSystem(), {{"of the system", Spec({{"displayName", "see https://example.com"}}),
                           Invalid("spec.displayName", "see https://example.com", kLink)},
                          {"a host's name", Spec({{"displayName", "hr.example.com"}}), ""}});
}

TEST_F(SystemCrd, Display_names_cannot_break_a_line) {
  Check(MinimalSystem(),
        {{"any script", Spec({{"displayName", "Käufer – 日本"}}), ""},
         {"CR LF", Spec({{"displayName", "a\r\nBcc: x"}}),
          Invalid("spec.displayName", "a\\r\\nBcc: x", kControl)},
         {"a Unicode line separator", Spec({{"displayName", "a\u2028b"}}),
          Invalid("spec.displayName", "a\\u2028b", kControl)},
         {"too long", Spec({{"displayName", std::string(257, 'x')}}),
          "spec.displayName: Too long: may not be more than 256 bytes"},
         {"another authentication", Spec({{"authentication", "BasicAuthentication"}}), ""},
         {"no word", Spec({{"authentication", "Basic authentication"}}),
          Invalid("spec.authentication", "Basic authentication",
                  "must be one word of letters and digits, such as ClientCertificateAuthentication "
                  "or OAuth2")}});
}

TEST_F(SystemCrd, A_field_that_is_not_built_yet_is_refused) {
  Check(
      MinimalSystem(),
      {{"probe",
        Spec(Json::parse(R"({"activation": {"probe": {"url": "https://abap.example.com/ping"}}})")),
        "spec.activation.probe: Invalid value: is not available in this version: leave it out, and "
        "activate with "
        "a CertificateOperation"},
       {"Hold", Spec(Json::parse(R"({"activation": {"atExpiry": "Hold"}})")), ""}});
}

TEST_F(SystemCrd, The_password_of_a_key_store_is_named_by_Secret_and_key) {
  const auto with = [](const char* pkcs12) {
    return Secret(Json{{"pkcs12", Json::parse(pkcs12)}});
  };
  const std::string at = "spec.secret.pkcs12.passwordSecretRef";
  Check(MinimalSystem(),
        {{"both", with(R"({"passwordSecretRef": {"name": "p.q", "key": "pass_word.txt"}})"), ""},
         {"neither", with("{}"), at + ": Required value"},
         {"no key", with(R"({"passwordSecretRef": {"name": "p"}})"), at + ".key: Required value"},
         {"no name", with(R"({"passwordSecretRef": {"key": "k"}})"), at + ".name: Required value"},
         {"a password in the place of a reference", with(R"({"password": "secret"})"),
          "unknown field \"spec.secret.pkcs12.password\""},
         {"no name of a Secret", with(R"({"passwordSecretRef": {"name": "P/x", "key": "k"}})"),
          Invalid(at + ".name", "P/x",
                  "must be the name of a Secret: lower-case letters, digits, '-' and '.', with a "
                  "letter or digit at both ends")},
         {"no key of a Secret", with(R"({"passwordSecretRef": {"name": "p", "key": "a b"}})"),
          Invalid(at + ".key", "a b",
                  "must be a key of a Secret, of letters, digits, '-', '_' and '.'")},
         {"the folder itself", with(R"({"passwordSecretRef": {"name": "p", "key": "."}})"),
          Invalid(at + ".key", ".",
                  "must be a key of a Secret: it is not '.' and does not begin with '..'")},
         {"a name that volumes keep for themselves",
          with(R"({"passwordSecretRef": {"name": "p", "key": "..data"}})"),
          Invalid(at + ".key", "..data",
                  "must be a key of a Secret: it is not '.' and does not begin with '..'")}});
}

}  // namespace
}  // namespace certpair::test
