// Text that must not be seen: a private key, a password, a token.
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace certpair {

/// Owns secret bytes and overwrites them before they are freed. Move-only; it has no stream or
/// format operator, so it cannot reach a log by accident: code that needs the bytes calls Reveal().
/// Not thread-safe for writes.
class SecretString {
 public:
  SecretString() = default;
  explicit SecretString(std::string text) : text_(std::move(text)) { Wipe(text); }
  SecretString(const SecretString&) = delete;
  SecretString& operator=(const SecretString&) = delete;
  SecretString(SecretString&& other) noexcept : text_(std::move(other.text_)) { Wipe(other.text_); }
  SecretString& operator=(SecretString&& other) noexcept {
    if (this != &other) {
      Wipe(text_);
      text_ = std::move(other.text_);
      Wipe(other.text_);
    }
    return *this;
  }
  ~SecretString() { Wipe(text_); }

  [[nodiscard]] SecretString Clone() const { return SecretString{text_}; }
  [[nodiscard]] std::string_view Reveal() const { return text_; }
  [[nodiscard]] bool empty() const { return text_.empty(); }
  friend bool operator==(const SecretString& a, const SecretString& b) {
    return a.text_ == b.text_;
  }

 private:
  // All of the capacity: a short text stays in the place that it was moved from, and a long one may
  // have been longer. The barrier keeps the compiler from dropping stores to memory that is freed
  // next.
  static void Wipe(std::string& text) noexcept {
    text.clear();
    text.resize(text.capacity());
    std::memset(text.data(), 0, text.size());
    asm volatile("" : : "r"(text.data()) : "memory");
    text.clear();
  }

  std::string text_;
};

}  // namespace certpair
