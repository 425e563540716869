#include "x509/pem.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "x509/openssl.hpp"

namespace certpair::x509 {
namespace {

// What PEM_read_bio hands out for one block.
struct RawBlock {
  char* label = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  RawBlock() = default;
  RawBlock(const RawBlock&) = delete;
  RawBlock& operator=(const RawBlock&) = delete;
  ~RawBlock() {
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, static_cast<std::size_t>(size));
  }
};

PemBlock ToBlock(const RawBlock& raw) {
  const std::string_view header = raw.header;
  // Through a char pointer: std::string wants one, and the bytes are the same.
  std::string der{reinterpret_cast<const char*>(raw.data), static_cast<std::size_t>(raw.size)};
  return {.label = raw.label,
          .has_headers = !header.empty(),
          .is_encrypted = header.find("ENCRYPTED") != std::string_view::npos,
          .der = SecretString{std::move(der)}};
}

}  // namespace

Result<std::vector<PemBlock>> ReadPem(std::string_view text, std::size_t max_bytes,
                                      std::size_t max_blocks) {
  if (text.size() > max_bytes) {
    return Fail(ErrorCode::Invalid, fmt::format("has {} bytes, more than the {} that are read",
                                                text.size(), max_bytes));
  }
  std::vector<PemBlock> blocks;
  const Handle<BIO> input{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
  if (!input) return OpenSslFailed("read a PEM text");
  while (!text.empty()) {
    RawBlock raw;
    if (PEM_read_bio(input.get(), &raw.label, &raw.header, &raw.data, &raw.size) != 1) {
      raw.size = 0;
      if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) break;
      return Fail(ErrorCode::Invalid,
                  fmt::format("block {} is not PEM: {}", blocks.size() + 1, DrainErrors()));
    }
    if (blocks.size() == max_blocks) {
      return Fail(ErrorCode::Invalid,
                  fmt::format("has more than the {} PEM blocks that are read", max_blocks));
    }
    blocks.push_back(ToBlock(raw));
  }
  ERR_clear_error();  // the end of the text is an error to OpenSSL
  return blocks;
}

std::string WritePem(const char* label, std::span<const unsigned char> der) {
  const Handle<BIO> output{BIO_new(BIO_s_mem())};
  if (!output ||
      PEM_write_bio(output.get(), label, "", der.data(), static_cast<long>(der.size())) <= 0) {
    return {};
  }
  return std::string{BytesOf(output.get())};
}

}  // namespace certpair::x509
