#include "base/secret_string.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>

#include <gtest/gtest.h>

namespace {

// Watches one block of memory until it is freed: the only moment at which one can see, within the
// rules, what its owner left in it.
struct WatchedBlock {
  const void* address = nullptr;
  std::size_t size = 0;
  bool freed = false;
  bool all_zero = false;
};
thread_local WatchedBlock g_watched;

}  // namespace

// Not inlined: the optimizer would see malloc's block given to operator delete, and warn of it.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (void* block = std::malloc(size == 0 ? 1 : size)) return block;
  throw std::bad_alloc{};
}
[[gnu::noinline]] void operator delete(void* block) noexcept {
  if (block != nullptr && block == g_watched.address) {
    const auto* bytes = static_cast<const unsigned char*>(block);
    g_watched.freed = true;
    g_watched.all_zero =
        std::all_of(bytes, bytes + g_watched.size, [](unsigned char c) { return c == 0; });
    g_watched.address = nullptr;
  }
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept { operator delete(block); }

namespace certpair {
namespace {

const std::string kLong(200, 'k');
constexpr std::string_view kShort = "hunter2";

void Watch(std::string_view text) { g_watched = {.address = text.data(), .size = text.size()}; }

static_assert(!std::is_copy_constructible_v<SecretString>);
static_assert(!std::is_copy_assignable_v<SecretString>);
static_assert(std::is_nothrow_move_constructible_v<SecretString>);
static_assert(std::is_nothrow_move_assignable_v<SecretString>);
static_assert(!std::is_convertible_v<SecretString, std::string>);
static_assert(!std::is_convertible_v<SecretString, std::string_view>);
template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };
static_assert(!Printable<SecretString>);

TEST(SecretString, A_long_text_is_overwritten_before_it_is_freed) {
  {
    const SecretString secret{kLong};
    Watch(secret.Reveal());
  }
  ASSERT_TRUE(g_watched.freed);
  EXPECT_TRUE(g_watched.all_zero);
}

TEST(SecretString, The_watch_sees_what_an_ordinary_string_leaves) {
  {
    const std::string plain = kLong;
    Watch(plain);
  }
  ASSERT_TRUE(g_watched.freed);
  EXPECT_FALSE(g_watched.all_zero);
}

TEST(SecretString, What_once_stood_behind_the_end_is_overwritten_too) {
  {
    std::string text = kLong;
    const std::string_view whole = text;
    text.resize(20);
    const SecretString secret{std::move(text)};
    ASSERT_EQ(secret.Reveal().data(), whole.data());
    Watch(whole);
  }
  ASSERT_TRUE(g_watched.freed);
  EXPECT_TRUE(g_watched.all_zero);
}

TEST(SecretString, Assignment_overwrites_what_was_there) {
  SecretString secret{kLong};
  Watch(secret.Reveal());
  secret = SecretString{std::string(300, 'n')};
  EXPECT_EQ(secret.Reveal(), std::string(300, 'n'));
  ASSERT_TRUE(g_watched.freed);
  EXPECT_TRUE(g_watched.all_zero);
}

// Short texts stand in the object itself.
struct InPlace {
  alignas(SecretString) std::array<char, sizeof(SecretString)> bytes{};
  SecretString* secret = nullptr;
  explicit InPlace(std::string_view text) {
    secret = new (bytes.data()) SecretString{std::string{text}};
  }
  [[nodiscard]] bool Shows(std::string_view text) const {
    return std::string_view{bytes.data(), bytes.size()}.find(text) != std::string_view::npos;
  }
};

TEST(SecretString, A_short_text_is_overwritten_when_its_object_ends) {
  InPlace place{kShort};
  ASSERT_TRUE(place.Shows(kShort));
  std::destroy_at(place.secret);
  EXPECT_FALSE(place.Shows(kShort.substr(1)));
}

TEST(SecretString, A_short_text_does_not_stay_where_it_was_moved_from) {
  InPlace place{kShort};
  const SecretString taken{std::move(*place.secret)};
  EXPECT_EQ(taken.Reveal(), kShort);
  EXPECT_FALSE(place.Shows(kShort.substr(1)));
  std::destroy_at(place.secret);
}

TEST(SecretString, A_short_text_does_not_stay_where_it_was_assigned_from) {
  InPlace place{kShort};
  SecretString taken;
  taken = std::move(*place.secret);
  EXPECT_EQ(taken.Reveal(), kShort);
  EXPECT_FALSE(place.Shows(kShort.substr(1)));
  std::destroy_at(place.secret);
}

TEST(SecretString, Moves_leave_an_empty_one_behind) {
  for (const std::string& text : {kLong, std::string{kShort}}) {
    SecretString first{text};
    SecretString second{std::move(first)};
    EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that is what is asked
    EXPECT_EQ(second.Reveal(), text);
    SecretString& same = second;
    second = std::move(same);
    EXPECT_EQ(second.Reveal(), text);
  }
}

TEST(SecretString, A_clone_is_equal_and_of_its_own) {
  const SecretString secret{kLong};
  const SecretString clone = secret.Clone();
  EXPECT_EQ(clone, secret);
  EXPECT_NE(clone.Reveal().data(), secret.Reveal().data());
  EXPECT_FALSE(clone == SecretString{std::string{kShort}});
}

}  // namespace
}  // namespace certpair
