// Refusals of src/actions, in words and as exit codes.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "actions/fields.hpp"
#include "base/time_format.hpp"
#include "session.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

std::string Watch(const Session& session, const std::string& operation) {
  return fmt::format("kubectl -n {} get certop {}", ShellWord(session.namespace_),
                     ShellWord(operation));
}

std::string KeysOfSuppositions() {
  std::vector<std::string_view> keys;
  for (const auto& field : actions::fields::kSupposables) keys.push_back(field.key);
  return fmt::format("{}", fmt::join(keys, ", "));
}

std::string WhyNoChain(const actions::NoChain& none) {
  const std::string name = Escaped(none.authority);
  switch (none.why) {
    case actions::NoChain::Why::EarlierAuthority:
      return fmt::format("an earlier certificate of authority {} signed it", name);
    case actions::NoChain::Why::NotPublishedYet:
      return fmt::format("the status of authority {} has no chain yet", name);
    case actions::NoChain::Why::OfAnother:
      return fmt::format("the chain in the status of authority {} belongs to another certificate",
                         name);
    case actions::NoChain::Why::Unreadable:
      break;
  }
  return fmt::format("authority {} cannot be read", name);
}

struct Explainer {
  const Session& session;

  Failure operator()(const actions::ApiProblem& problem) const {
    return Explain(session, problem.error, problem.attempt);
  }
  Failure operator()(const actions::Stopped& stopped) const {
    if (stopped.operation.empty()) return Interrupted();
    return {Exit::Interrupted,
            fmt::format("interrupted. The operation {} goes on: {}", Escaped(stopped.operation),
                        Watch(session, stopped.operation))};
  }

  Failure operator()(const actions::AnotherSystem& other) const {
    return {Exit::Failed, fmt::format("the API server was asked for {}, and answered with {} ({})",
                                      SystemTitle(other.asked), SystemTitle(other.answered),
                                      Escaped(session.context))};
  }
  Failure operator()(const actions::BadOperationName& bad) const {
    return {Exit::Failed, fmt::format("the API server named the new operation \"{}\", which cannot "
                                      "be the name of an object ({})",
                                      Escaped(bad.name), Escaped(session.context))};
  }
  Failure operator()(const actions::BadSecretName& bad) const {
    return {Exit::Failed, fmt::format("{}: \"{}\" is not the name of a Secret",
                                      SystemTitle(bad.system), Escaped(bad.name))};
  }
  Failure operator()(const actions::NotPem& bad) const {
    using Where = actions::NotPem::Where;
    const std::string place = bad.where == Where::Status
                                  ? fmt::format("{}, status.certificates, the {} certificate",
                                                SystemTitle(bad.system), Escaped(bad.state))
                                  : fmt::format("Secret \"{}\"{}", Escaped(bad.secret),
                                                bad.where == Where::SecretKey ? ", the key" : "");
    return {Exit::Failed,
            fmt::format("{}: {}. It was neither printed nor written", place, Escaped(bad.why))};
  }
  Failure operator()(const actions::BadFingerprint& bad) const {
    using Why = actions::BadFingerprint::Why;
    std::string list;
    for (const auto& [fingerprint, state] : bad.there)
      list += fmt::format("\n  {}  {}", Escaped(fingerprint), Escaped(state));
    if (list.empty()) list = "\n  The system has no certificates";
    const std::string text = Escaped(bad.text);
    if (bad.why == Why::NotHex)
      return {Exit::Usage, fmt::format("\"{}\" is not the beginning of a SHA-256 fingerprint. Give "
                                       "two hex digits or more, with or without colons.{}",
                                       text, list)};
    if (bad.why == Why::SeveralBeginSo)
      return {Exit::Usage,
              fmt::format("the fingerprint {} is ambiguous: both certificates begin with it.{}",
                          text, list)};
    return {Exit::Usage, fmt::format("{} has no certificate whose fingerprint begins with {}.{}",
                                     SystemTitle(bad.system), text, list)};
  }

  Failure operator()(const actions::AlreadyTwo& full) const {
    return {Exit::Refused,
            fmt::format("{} already has two certificates, the maximum. If the inactive one is not "
                        "needed, delete it first:\n{}",
                        SystemTitle(full.system),
                        Suggest(full.system.namespace_,
                                fmt::format("delete {} {}", ShellWord(full.system.name),
                                            FingerprintWord(full.inactive))))};
  }
  Failure operator()(const actions::NoInactive& none) const {
    return {
        Exit::Refused,
        fmt::format("{} has no inactive certificate. Generate one:\n{}", SystemTitle(none.system),
                    Suggest(none.system.namespace_,
                            fmt::format("generate {}", ShellWord(none.system.name))))};
  }
  Failure operator()(const actions::CannotDeleteActive& active) const {
    return {Exit::Refused,
            fmt::format("{} is the active certificate of {}, which cannot be deleted. Activate the "
                        "other one first",
                        Escaped(active.fingerprint), SystemTitle(active.system))};
  }

  Failure operator()(const actions::PerhapsMade& perhaps) const {
    Failure why = (*this)(perhaps.why);
    why.message += fmt::format(
        "\n  The operation may exist nevertheless. Look before you try again: "
        "kubectl -n {} get certop",
        ShellWord(session.namespace_));
    return why;
  }
  Failure operator()(const actions::LostSight& lost) const {
    Failure why = (*this)(lost.why);
    why.message += fmt::format("\n  The operation {} exists, and may still be carried out: {}",
                               Escaped(lost.operation), Watch(session, lost.operation));
    return why;
  }
  Failure operator()(const actions::OperationRefused& refused) const {
    return {
        Exit::Refused,
        fmt::format("refused ({}): {}\n  Nothing was changed. The operation was {}",
                    Escaped(refused.reason), Escaped(refused.message), Escaped(refused.operation))};
  }
  Failure operator()(const actions::NotInTime& late) const {
    std::string more;
    if (late.silence) more += "\n  " + Describe(*late.silence);
    if (late.trouble) more += "\n  " + (*this)(*late.trouble).message;
    return {Exit::TimedOut,
            fmt::format("the operation {} did not end within {}. It stays, and may still be "
                        "carried out: {}{}",
                        Escaped(late.operation), FormatDuration(late.timeout),
                        Watch(session, late.operation), more)};
  }
  Failure operator()(const actions::NoOperator& none) const {
    return {Exit::Failed,
            fmt::format("no operator runs to carry out the operation {}. It stays, and is carried "
                        "out when the operator is back: {}",
                        Escaped(none.operation), Watch(session, none.operation))};
  }

  Failure operator()(const actions::NotAnAddress& bad) const {
    return {Exit::Usage, fmt::format("\"{}\" is not an e-mail address", Escaped(bad.text))};
  }
  Failure operator()(const actions::NotMailable& bad) const {
    return {Exit::Usage, fmt::format("\"{}\": the address {}", Escaped(bad.address), bad.why)};
  }
  Failure operator()(const actions::LinkInDisplayName& bad) const {
    return {Exit::Usage, fmt::format("--display-name \"{}\": it must not contain a link or an "
                                     "address",
                                     Escaped(bad.display_name))};
  }
  Failure operator()(const actions::UserHasNoAddress& user) const {
    return {Exit::Usage, fmt::format("the API server knows you as \"{}\", which is not an e-mail "
                                     "address. Give yours with --email",
                                     Escaped(user.username))};
  }
  Failure operator()(const actions::EntryOfAnother& other) const {
    return {Exit::Refused,
            fmt::format("{} is already subscribed as \"{}\", and another field manager owns that "
                        "name",
                        Escaped(other.entry.email), Escaped(other.entry.display_name))};
  }
  Failure operator()(const actions::ListKeepsChanging&) const {
    return {Exit::Failed, "the list of subscribers changed at each try. Try again"};
  }

  Failure operator()(const actions::NoCertificate& none) const {
    return {Exit::Failed, fmt::format("{} has no {}certificate", SystemTitle(none.system),
                                      none.which == actions::Which::Active     ? "active "
                                      : none.which == actions::Which::Inactive ? "inactive "
                                                                               : "")};
  }
  Failure operator()(const actions::PairChanged&) const {
    return {Exit::Failed, "the pair changed while it was read. Try again"};
  }
  Failure operator()(const actions::NoChain& none) const {
    std::string why = WhyNoChain(none);
    if (none.problem) why = (*this)(*none.problem).message;
    return {Exit::Failed, fmt::format("the authority does not give the chain above {}: {}",
                                      ShortFingerprint(none.fingerprint), why)};
  }
  Failure operator()(const actions::NoChainAnywhere& none) const {
    const Failure secret = (*this)(none.secret);
    return {secret.exit, fmt::format("{}.\nThe Secret holds the chain too, but {}\n"
                                     "The certificate alone (-o pem) needs neither.",
                                     (*this)(none.authority).message, secret.message)};
  }
  Failure operator()(const actions::KeyStoreFailed& failed) const {
    return {Exit::Failed, Escaped(failed.message)};
  }

  Failure operator()(const actions::UnknownSupposition& unknown) const {
    return {Exit::Usage, fmt::format("--what-if {}: it must be KEY=VALUE, and KEY one of {}",
                                     Escaped(unknown.text), KeysOfSuppositions())};
  }
  Failure operator()(const actions::BadSwitch&) const {
    return {Exit::Usage, "--what-if auto: it must be on or off"};
  }
  Failure operator()(const actions::NotAnObject& bad) const {
    return {Exit::Failed,
            fmt::format("{} is {}, and must be an object",
                        bad.field.empty() ? "the document" : Escaped(bad.field), bad.found)};
  }
  Failure operator()(const actions::UnreadableSpec& bad) const {
    return {Exit::Failed, Escaped(bad.what)};
  }
  Failure operator()(const actions::BeforeNotShorter& bad) const {
    return {Exit::Refused,
            fmt::format("automaticRegeneration.before is {}, and must be shorter than "
                        "certificate.validity, {}",
                        FormatDuration(bad.before), FormatDuration(bad.validity))};
  }
};

}  // namespace

Failure Explain(const Session& session, const actions::Refusal& refusal) {
  return std::visit(Explainer{session}, refusal);
}

}  // namespace certpair::plugin
