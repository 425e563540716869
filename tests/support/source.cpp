#include "support/source.hpp"

namespace certpair::test {

std::string SourceDir() { return CERTPAIR_SOURCE_DIR; }

}  // namespace certpair::test
