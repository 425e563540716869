// The textual encoding of RFC 7468: blocks between BEGIN and END lines. Private to this folder.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/secret_string.hpp"

namespace certpair::x509 {

/// One block, decoded but never decrypted: that is why no input can make OpenSSL ask for a
/// password.
struct PemBlock {
  std::string label;          ///< `CERTIFICATE`, `PRIVATE KEY`, …
  bool has_headers = false;   ///< RFC 1421 headers before the data
  bool is_encrypted = false;  ///< RFC 1421's `Proc-Type: 4,ENCRYPTED`
  SecretString der;
};

/// All blocks of a text, in order. Invalid: more than `max_bytes` or `max_blocks`, a block that is
/// cut off or not base64. Text outside of blocks, CRLF and a missing last newline are allowed. No
/// block at all is an empty answer. Messages quote nothing of the input.
[[nodiscard]] Result<std::vector<PemBlock>> ReadPem(std::string_view text, std::size_t max_bytes,
                                                    std::size_t max_blocks);

/// One block, lines of 64 characters, LF at each line's end.
[[nodiscard]] std::string WritePem(const char* label, std::span<const unsigned char> der);

}  // namespace certpair::x509
