// Private to src/core: what becomes of the PKCS#12 in the pair's Secret (R13). No certificate ever
// waits for a password: without one the pair is written all the same.
#pragma once

#include <optional>

#include "core/conditions.hpp"
#include "core/decision.hpp"
#include "core/view.hpp"

namespace certpair::core {

/// What the write of `change` does to keystore.p12 beside it.
[[nodiscard]] KeystoreChange KeystoreBeside(const SlotChange& change, const View& view);

/// Whether a key store is missing now or after `change`, and its password has not been read yet.
[[nodiscard]] bool NeedsPassword(const std::optional<PlannedChange>& change, const View& view);

/// When to look again at a password that is missing; nothing where none is wanted.
[[nodiscard]] std::optional<sys_seconds> LookAgainAtPassword(const View& view);

/// KeystoreWritten; nothing where the spec asks for no key store.
[[nodiscard]] std::optional<Statement> DescribeKeystore(const View& view);

}  // namespace certpair::core
