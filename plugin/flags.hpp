// What a command says of its own command line. Free of CLI11, which only options.cpp includes.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "actions/operate.hpp"
#include "base/clock.hpp"
#include "output.hpp"

namespace certpair::plugin {

/// What the shell is offered in the place of a word.
enum class Offers { Nothing, Systems, Fingerprints, Files };

/// What a value may be. `take` runs once the whole line is parsed; its answer is what is wrong.
using Take = std::function<std::optional<std::string>(const std::string& text)>;
struct ValueRules {
  std::vector<std::string> words;  ///< it is one of them; empty: any text
  bool any_case = false;           ///< of `words`
  bool suggests_only = false;      ///< `words` are for completion; `take` judges
  Offers offers = Offers::Nothing;
};
struct WordRules {
  bool required = true;
  std::vector<std::string> words;
  bool suggests_only = false;
  Offers offers = Offers::Nothing;
};

/// Where a command declares its words and flags. `names`: `-o,--output`. What is bound must live as
/// long as the command; `take` is not called for what is not given.
class Flags {
 public:
  virtual ~Flags() = default;
  /// The next word without a flag; it must not be empty.
  virtual void Word(const std::string& name, const std::string& help, WordRules rules,
                    Take take) = 0;
  virtual void Value(const std::string& names, const std::string& help, ValueRules rules,
                     Take take) = 0;
  /// Several values with commas between them.
  virtual void Values(const std::string& names, std::vector<std::string>& into,
                      const std::string& help) = 0;
  virtual void Switch(const std::string& names, bool& into, const std::string& help) = 0;
  /// Runs after all of `take`, in the order of declaration; the answer is what is wrong.
  virtual void Check(std::function<std::optional<std::string>()> check) = 0;

  void Text(const std::string& names, std::string& into, const std::string& help,
            ValueRules rules = {});
  void Period(const std::string& names, std::optional<seconds>& into, const std::string& help);
};

/// How a change is made, and whether its end is awaited.
struct ChangeFlags {
  bool wait = true;
  seconds timeout{60};
  actions::DryRun dry_run = actions::DryRun::None;
  bool yes = false;  ///< do not ask
};

inline constexpr std::string_view kListFormats[] = {"wide", "json", "yaml", "name"};
inline constexpr std::string_view kObjectFormats[] = {"json", "yaml", "name"};
inline constexpr std::string_view kDocumentFormats[] = {"json", "yaml"};

/// The system's name.
void AddName(Flags& flags, std::string& into, bool required = true);
/// -o. Nothing given: Format::Table.
void AddOutput(Flags& flags, Format& into, std::span<const std::string_view> formats,
               const std::string& help);
/// --yes and --dry-run; with `waits` --wait and --timeout.
void AddChange(Flags& flags, ChangeFlags& into, bool waits);

}  // namespace certpair::plugin
