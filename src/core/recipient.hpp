// Which addresses and names of subscribers mail may use (R12). The CRD has the same rules; objects
// that an older version let in are judged here. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace certpair::core {

/// Why no mail goes to `local`@`domain`, as the end of a sentence that begins with "the address";
/// nothing: it may. It repeats neither. Refused is what mail's grammar allows and a mail server or
/// a shell behind it may read as a route, a file, a command or an option, and what names no mailbox
/// on the Internet: quoted local parts, `|x@`, `-oq@`, `a%b@`, `a!b@`, IP addresses, `x@localhost`.
/// Characters beyond ASCII are not judged: the CRD takes none.
[[nodiscard]] std::optional<std::string_view> WhyNotARecipient(std::string_view local,
                                                               std::string_view domain);

/// Whether a mail program may turn a word of this name into a link: an address, a URL, or a host
/// with a path.
[[nodiscard]] bool HasLink(std::string_view name);

/// `name` with `[link removed]` in the place of each such word.
[[nodiscard]] std::string WithoutLinks(std::string_view name);

}  // namespace certpair::core
