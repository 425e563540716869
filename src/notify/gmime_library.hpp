// GMime's handles. Private to src/notify.
#pragma once

#include <memory>

#include <gmime/gmime.h>

namespace certpair::notify {

/// Initializes GMime once. Call it before any use of GMime. Thread-safe.
void UseGmime();

struct Unreference {
  template <class T>
  void operator()(T* object) const {
    g_object_unref(object);
  }
};
/// Owns one reference.
template <class T>
using Handle = std::unique_ptr<T, Unreference>;

}  // namespace certpair::notify
