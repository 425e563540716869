// Which addresses mail may go to, and what counts as a link. The CRD's tests have the same rows.
#include "core/recipient.hpp"

#include <gmock/gmock.h>

namespace certpair::core {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Recipient, That_a_server_may_read_as_more_is_refused) {
  const struct {
    const char* local;
    const char* domain;
    const char* why;
  } rows[] = {
      {"|secretly", "example.com", "before the @"},
      {"-oqsecretly", "example.com", "before the @"},
      {"secretly%b", "example.com", "before the @"},
      {"secretly!b", "example.com", "before the @"},
      {"/secretly", "example.com", "before the @"},
      {"secretly/b", "example.com", "before the @"},
      {"`secretly`", "example.com", "before the @"},
      {"$secretly", "example.com", "before the @"},
      {"secretly*", "example.com", "before the @"},
      {"+secretly", "example.com", "before the @"},
      {".secretly", "example.com", "before the @"},
      {"\"secretly\"", "example.com", "before the @"},
      {"", "example.com", "before the @"},
      {"secretly.", "example.com", "dot"},
      {"secret..ly", "example.com", "dot"},
      {"secretly", "localhost", "domain"},
      {"secretly", "mail.localhost", "domain"},
      {"secretly", "LocalHost.LocalDomain", "domain"},
      {"secretly", "example", "domain"},
      {"secretly", "127.0.0.1", "domain"},
      {"secretly", "[127.0.0.1]", "domain"},
      {"secretly", "[IPv6:::1]", "domain"},
      {"secretly", "example.com.", "domain"},
      {"secretly", "", "domain"},
  };
  for (const auto& row : rows) {
    const auto why = WhyNotARecipient(row.local, row.domain);
    ASSERT_TRUE(why) << row.local << "@" << row.domain;
    EXPECT_THAT(std::string{*why}, HasSubstr(row.why)) << row.local << "@" << row.domain;
    EXPECT_THAT(std::string{*why}, Not(HasSubstr("secretly")));
  }
}

TEST(Recipient, That_a_person_or_a_list_has_is_taken) {
  for (const char* local :
       {"anna", "o'neil", "anna+certs", "r&d", "_x", "x-y.z=1#2~3", "größe", "7", "Anna.Berg"})
    EXPECT_FALSE(WhyNotARecipient(local, "example.com")) << local;
  for (const char* domain : {"example.co", "a-b.example.com", "xn--bcher-kva.de", "mail.corp"})
    EXPECT_FALSE(WhyNotARecipient("anna", domain)) << domain;
}

TEST(Links, Are_found_and_taken_out_and_other_words_stay) {
  const struct {
    const char* name;
    const char* clean;
  } rows[] = {
      {"anna@example.com", "[link removed]"},
      {"see https://example.com now", "see [link removed] now"},
      {"//example.com", "[link removed]"},
      {"www.example.com", "[link removed]"},
      {"WWW.example.com  x", "[link removed]  x"},
      {"example.com/login", "[link removed]"},
      {"example.com:8080", "[link removed]"},
      {"example.com?q", "[link removed]"},
      {"mailto:anna", "[link removed]"},
      {"bücher.example/x", "[link removed]"},
      {"HR (hr.example.com)", "HR (hr.example.com)"},
      {"Dr. Anna Berg", "Dr. Anna Berg"},
      {"S/4HANA: prod", "S/4HANA: prod"},
      {"24/7", "24/7"},
      {"a / b", "a / b"},
      {"v1.2", "v1.2"},
      {"人事システム", "人事システム"},
      {"J.R. Berg", "J.R. Berg"},
      {"", ""},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(WithoutLinks(row.name), row.clean);
    EXPECT_EQ(HasLink(row.name), std::string{row.name} != row.clean) << row.name;
  }
}

}  // namespace
}  // namespace certpair::core
