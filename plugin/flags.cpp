#include "flags.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "text.hpp"

namespace certpair::plugin {

void Flags::Text(const std::string& names, std::string& into, const std::string& help,
                 ValueRules rules) {
  Value(names, help, std::move(rules), [&into](const std::string& text) {
    into = text;
    return std::nullopt;
  });
}

void Flags::Period(const std::string& names, std::optional<seconds>& into,
                   const std::string& help) {
  const std::string flag = names.substr(names.rfind(',') + 1);
  Value(names, help, {}, [&into, flag](const std::string& text) -> std::optional<std::string> {
    if (text.empty()) return std::nullopt;
    into = ParsePeriod(text);
    if (into) return std::nullopt;
    return fmt::format("{}: \"{}\" is not a duration such as 90s, 12h or 30d", flag, Escaped(text));
  });
}

void AddName(Flags& flags, std::string& into, bool required) {
  flags.Word("NAME", "the system", {.required = required, .words = {}, .offers = Offers::Systems},
             [&into](const std::string& text) {
               into = text;
               return std::nullopt;
             });
}

void AddOutput(Flags& flags, Format& into, std::span<const std::string_view> formats,
               const std::string& help) {
  static const std::map<std::string, Format, std::less<>> kFormats{{"wide", Format::Wide},
                                                                   {"json", Format::Json},
                                                                   {"yaml", Format::Yaml},
                                                                   {"name", Format::Name}};
  flags.Value("-o,--output", help,
              {.words = {formats.begin(), formats.end()}, .suggests_only = true},
              [&into, formats](const std::string& text) -> std::optional<std::string> {
                if (text.empty()) return std::nullopt;
                if (std::ranges::find(formats, text) == formats.end())
                  return fmt::format("-o {}: it must be one of {}", Escaped(text),
                                     fmt::join(formats, ", "));
                into = kFormats.find(text)->second;
                return std::nullopt;
              });
}

void AddChange(Flags& flags, ChangeFlags& into, bool waits) {
  using actions::DryRun;
  flags.Switch("-y,--yes", into.yes, "do not ask");
  // With -o there is an object to show; the others say what they would change.
  flags.Value("--dry-run",
              fmt::format("client: {}, and write nothing; server: have it checked, and not stored",
                          waits ? "say what would be made (-o json: as it would be sent)"
                                : "say what would be changed"),
              {.words = {"none", "client", "server"}}, [&into](const std::string& text) {
                into.dry_run = text == "client"   ? DryRun::Client
                               : text == "server" ? DryRun::Server
                                                  : DryRun::None;
                return std::nullopt;
              });
  if (!waits) return;
  flags.Switch("--wait", into.wait, "wait for the end (default; --wait=false does not)");
  flags.Value("--timeout", "how long to wait (60s)", {},
              [&into](const std::string& text) -> std::optional<std::string> {
                const auto period = ParsePeriod(text);
                if (period) into.timeout = *period;
                if (period) return std::nullopt;
                return fmt::format("--timeout: \"{}\" is not a duration such as 90s, 12h or 30d",
                                   Escaped(text));
              });
}

}  // namespace certpair::plugin
