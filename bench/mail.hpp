// A fleet that crosses a threshold at once, with a reader each: how fast they are told, beside what
// the mail server can do at most and the bare writes that cannot be avoided.
#pragma once

#include "kube/client.hpp"
#include "phases.hpp"

namespace certpair::bench {

struct MailFleet {
  std::string prefix;  ///< of its names: `<prefix>-<i>`
  int systems = 0;
  int readers = 1;    ///< of each
  int in_flight = 4;  ///< --smtp-in-flight
};

struct MailResult {
  double mails_per_second = 0;
  double one_connection = 0;    ///< mails/s that the server takes of one sender, with nothing else
  double four_connections = 0;  ///< and of four at once
  double bare_per_second = 0;   ///< what each mail costs in writes, with nothing else
  double writes_per_mail = 0;
  double reads_per_mail = 0;
  double cpu_ms_per_mail = 0;  ///< of the operator
  double growth_mib = 0;       ///< of the operator's memory, from before the first mail to its peak
  double missing = 0;          ///< readers who were told nothing
  double twice = 0;            ///< mails that came again
  double faulty = 0;           ///< mails in which Python's email package finds a fault
  double renewal_alone_ms = 0;    ///< median time of a regeneration, of a fleet at rest
  double renewal_without_ms = 0;  ///< while the fleet crosses a threshold, without mail
  double renewal_beside_ms = 0;   ///< the same with mail
  bool complete = false;
};

/// Makes the fleet, and leaves it. `server` is tests/support/smtp_server.py; it demands
/// STARTTLS and AUTH, and keeps what it is sent.
[[nodiscard]] MailResult MeasureMail(const kube::Client& client, const Setup& setup,
                                     const MailFleet& fleet, const std::string& server);

}  // namespace certpair::bench
