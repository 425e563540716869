// A new command is a line here and a file with its entry.
#include "command.hpp"

// Declares and lists each entry by one line.
#define CERTPAIR_COMMANDS(entry)                                                              \
  entry(kList) entry(kDescribe) entry(kGenerate) entry(kActivate) entry(kDelete) entry(kAuto) \
      entry(kSetAuthentication) entry(kSubscribe) entry(kUnsubscribe) entry(kSubscribers)     \
          entry(kDownload) entry(kSimulate) entry(kDoctor) entry(kVersion) entry(kCompletion)

namespace certpair::plugin {

#define CERTPAIR_DECLARE(name) extern const CommandEntry name;
CERTPAIR_COMMANDS(CERTPAIR_DECLARE)
#undef CERTPAIR_DECLARE

const std::vector<const CommandEntry*>& Commands() {
#define CERTPAIR_ADDRESS(name) &(name),
  static const std::vector<const CommandEntry*> kAll{CERTPAIR_COMMANDS(CERTPAIR_ADDRESS)};
#undef CERTPAIR_ADDRESS
  return kAll;
}

}  // namespace certpair::plugin
