// GMime's handles. Private to src/notify.
#pragma once

#include <memory>

#include <gmime/gmime.h>

namespace certpair::notify {

/// Before any use of GMime: it wants to be told once. Thread-safe.
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
