// RFC 4648 §4 base64, as Secret.data and kubeconfig's *-data fields hold it. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace certpair {

[[nodiscard]] std::string EncodeBase64(std::string_view bytes);

/// Strict: padding required, no white space, no stray bits; nothing for anything else.
[[nodiscard]] std::optional<std::string> DecodeBase64(std::string_view text);

/// As Go's encoding/base64 reads it, and so kubectl: line ends are passed over, stray bits ignored.
[[nodiscard]] std::optional<std::string> DecodeBase64Lines(std::string_view text);

}  // namespace certpair
