// Texts of a server that become a name or a file.
#include <gtest/gtest.h>

#include "actions/object_name.hpp"
#include "actions/pem_text.hpp"

namespace certpair::actions {
namespace {

const std::string kPem = "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n";

TEST(CheckPem, Takes_blocks_and_nothing_beside_them) {
  EXPECT_TRUE(CheckPem(kPem, "CERTIFICATE"));
  EXPECT_TRUE(CheckPem(kPem + "\n" + kPem, "CERTIFICATE"));
  EXPECT_TRUE(CheckPem("-----BEGIN CERTIFICATE-----\r\nYWJj\r\n-----END CERTIFICATE-----\r\n",
                       "CERTIFICATE"));
  EXPECT_TRUE(
      CheckPem("-----BEGIN EC PRIVATE KEY-----\n-----END EC PRIVATE KEY-----", "PRIVATE KEY"));
  for (const std::string& bad :
       {std::string{}, std::string{"\n"}, kPem + "x", "x\n" + kPem, kPem.substr(0, 40),
        std::string{"-----BEGIN CERTIFICATE-----\n-----END PRIVATE KEY-----\n"},
        std::string{"-----BEGIN CERTIFICATE\x1b-----\n-----END CERTIFICATE\x1b-----\n"},
        std::string{"-----BEGIN CERTIFICATE-----\nYW\rJj\n-----END CERTIFICATE-----\n"}})
    EXPECT_FALSE(CheckPem(bad, "CERTIFICATE")) << bad;
  EXPECT_FALSE(CheckPem(kPem, "PRIVATE KEY"));
}

TEST(IsObjectName, Takes_RFC_1123_subdomains_alone) {
  for (const char* good : {"a", "abap-prod", "a.b-c.d", "0"})
    EXPECT_TRUE(IsObjectName(good)) << good;
  for (const char* bad :
       {"", ".", "..", "a/b", "-a", "a-", "a..b", "a.-b", "a-.b", "A", "a b", "ä"})
    EXPECT_FALSE(IsObjectName(bad)) << bad;
  EXPECT_FALSE(IsObjectName(std::string(254, 'a')));
}

}  // namespace
}  // namespace certpair::actions
