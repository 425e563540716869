#include "notify/gmime_library.hpp"

namespace certpair::notify {

void UseGmime() {
  static const bool kReady = [] {
    g_mime_init();
    return true;
  }();
  static_cast<void>(kReady);
}

}  // namespace certpair::notify
