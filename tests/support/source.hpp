// Where the repository lies, for tests that use its scripts, CRDs and examples.
#pragma once

#include <string>

namespace certpair::test {

/// The absolute path of the repository's root, without a slash at its end. The path is compiled
/// into this file alone, so that the compiler's cache serves every working copy.
std::string SourceDir();

}  // namespace certpair::test
