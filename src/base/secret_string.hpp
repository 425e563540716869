// Text that must not be seen: a private key, a password, a token.
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace certpair {

/// Owns secret bytes and overwrites them before they are freed. Move-only; it has no stream or
/// format operator, so it cannot reach a log by accident: whoever needs the bytes says Reveal().
/// Not thread-safe for writes.
class SecretString {
 public:
  SecretString() = default;
  explicit SecretString(std::string text) : text_(std::move(text)) {}
  SecretString(const SecretString&) = delete;
  SecretString& operator=(const SecretString&) = delete;
  SecretString(SecretString&& other) noexcept {
    Swap(other);
  }  // short texts live inside std::string: swap moves and wipes them

  SecretString& operator=(SecretString&& other) noexcept {
    if (this != &other) {
      Wipe();
      Swap(other);
    }
    return *this;
  }
  ~SecretString() { Wipe(); }

  [[nodiscard]] SecretString Clone() const { return SecretString{text_}; }
  [[nodiscard]] std::string_view Reveal() const { return text_; }
  [[nodiscard]] bool empty() const { return text_.empty(); }
  friend bool operator==(const SecretString& a, const SecretString& b) {
    return a.text_ == b.text_;
  }

 private:
  void Swap(SecretString& other) noexcept { text_.swap(other.text_); }
  void Wipe() noexcept {
    // The barrier keeps the compiler from dropping stores to memory that is freed next.
    if (!text_.empty()) std::memset(text_.data(), 0, text_.size());
    asm volatile("" : : "r"(text_.data()) : "memory");
    text_.clear();
  }
  std::string text_;
};

}  // namespace certpair
