#include <gtest/gtest.h>

#include "unit/core/builders.hpp"

namespace certpair::core::testing {
namespace {

TEST(Fingerprint, Is_read_in_either_case_with_colons_or_without) {
  const std::string canonical = Fingerprint(0x00ABCDEF);
  std::string bare;
  std::string lower;
  for (const char c : canonical) {
    if (c != ':') bare += c;
    lower += c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  EXPECT_EQ(CanonicalFingerprint(canonical), canonical);
  EXPECT_EQ(CanonicalFingerprint(bare), canonical);
  EXPECT_EQ(CanonicalFingerprint(lower), canonical);
}

TEST(Fingerprint, Of_any_other_shape_is_refused) {
  std::string text = Fingerprint(1);
  for (const std::string& bad :
       {std::string(), text + ":", text.substr(1), std::string(64, 'g'), std::string(95, 'A'),
        text.substr(0, 59), text.substr(0, 94) + "G", "X" + text.substr(1)}) {
    EXPECT_FALSE(CanonicalFingerprint(bad)) << bad;
  }
  text[2] = '-';
  EXPECT_FALSE(CanonicalFingerprint(text));
}

TEST(Receipt, Reads_back_as_it_was_written) {
  const Receipt made{"uid-1", OperationAction::Generate, Fingerprint(1), ""};
  const Receipt swapped{"uid-2", OperationAction::Activate, Fingerprint(1), Fingerprint(2)};
  EXPECT_EQ(ParseReceipt(FormatReceipt(made)), made);
  EXPECT_EQ(ParseReceipt(FormatReceipt(swapped)), swapped);
  EXPECT_EQ(FormatReceipt(made), "uid-1/Generate/" + Fingerprint(1));
}

TEST(Receipt, An_edited_receipt_is_ignored) {
  const std::string good = FormatReceipt({"u", OperationAction::Delete, Fingerprint(1), ""});
  ASSERT_TRUE(ParseReceipt(good));
  for (const std::string& bad : {std::string(), std::string("u/Delete"), good + "/", good + "/x",
                                 good + "/" + Fingerprint(2) + "/", "/Delete/" + Fingerprint(1),
                                 "u/Destroy/" + Fingerprint(1), std::string("u/Delete/ab"),
                                 std::string(100, 'u') + "/Delete/" + Fingerprint(1)}) {
    EXPECT_FALSE(ParseReceipt(bad)) << bad;
  }
}

TEST(Words, Are_spelt_as_the_API_spells_them) {
  EXPECT_EQ(ToString(KeyAlgorithm::Rsa), "RSA");
  EXPECT_EQ(ToString(KeyAlgorithm::Ecdsa), "ECDSA");
  EXPECT_EQ(ToString(KeyAlgorithm::Ed25519), "Ed25519");
  EXPECT_EQ(ToString(SystemType::Source), "Source");
  EXPECT_EQ(ToString(SystemType::Target), "Target");
  EXPECT_EQ(ToString(SystemType::Proxy), "Proxy");
  EXPECT_EQ(ToString(PeerMatching::SubjectAndIssuer), "SubjectAndIssuer");
  EXPECT_EQ(ToString(PeerMatching::Fingerprint), "Fingerprint");
  EXPECT_EQ(ToString(ConditionStatus::Unknown), "Unknown");
  EXPECT_EQ(ToString(OperationAction::Activate), "Activate");
}

}  // namespace
}  // namespace certpair::core::testing
