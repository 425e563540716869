// A command line, read: what options.cpp makes and run.cpp carries out.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "output.hpp"

namespace certpair::plugin {

enum class DryRun { None, Client, Server };

/// Flags that every command has; they are kubectl's own.
struct Globals {
  std::string kubeconfig;
  std::string context;
  std::string namespace_;
  bool all_namespaces = false;
  std::string as;
  std::vector<std::string> as_groups;
  std::string as_uid;
  std::optional<seconds> request_timeout;  ///< nothing: the client's own
  int verbosity = 0;                       ///< from 6 on, each request stands on standard error
  std::string operator_namespace = "certpair-system";  ///< where its Lease is
};

/// How a change is made, and whether its end is awaited.
struct ChangeFlags {
  bool wait = true;
  seconds timeout{60};
  DryRun dry_run = DryRun::None;
  bool yes = false;  ///< do not ask
};

struct ListCommand {
  std::string selector;
  std::string type;                        ///< Source, Target, Proxy; empty: all
  std::optional<seconds> expiring_within;  ///< nothing: all
  std::string sort_by;                     ///< name, expiry, type; empty: as the server has them
  bool watch = false;
  Format format = Format::Table;
};
struct DescribeCommand {
  std::string name;
};
struct GenerateCommand {
  std::string name;
  ChangeFlags change;
  Format format = Format::Table;
};
struct ActivateCommand {
  std::string name;
  std::string fingerprint;  ///< may be shortened; empty: the inactive one
  ChangeFlags change;
  Format format = Format::Table;
};
struct DeleteCommand {
  std::string name;
  std::string fingerprint;
  ChangeFlags change;
  Format format = Format::Table;
};
struct AutoCommand {
  bool on = false;
  std::string name;
  ChangeFlags change;
};
struct SetAuthenticationCommand {
  std::string name;
  std::string value;
  ChangeFlags change;
};
struct DownloadCommand {
  enum class Which { Active, Inactive, All };
  enum class Encoding { Pem, Der, Pkcs12, Chain };
  std::string name;
  Which which = Which::Active;
  Encoding encoding = Encoding::Pem;
  bool key = false;
  std::string to;  ///< a file or a folder; empty or `-`: standard output
  bool force = false;
  std::string password_file;
};
struct SubscribeCommand {
  std::string name;
  bool me = false;
  std::string email;
  std::string display_name;
  ChangeFlags change;
};
struct UnsubscribeCommand {
  std::string name;
  bool me = false;
  std::string email;
  ChangeFlags change;
};
struct SubscribersCommand {
  std::string name;
  Format format = Format::Table;
};
struct SimulateCommand {
  std::string name;  ///< of several in a file: which
  std::string file;  ///< `-`: standard input; empty: what is in the cluster
  std::optional<seconds> until;
  std::vector<std::string> what_if;  ///< KEY=VALUE
  Format format = Format::Table;
};
struct DoctorCommand {
  Format format = Format::Table;
};
struct VersionCommand {
  Format format = Format::Table;
};
struct CompletionCommand {};

using Command = std::variant<ListCommand, DescribeCommand, GenerateCommand, ActivateCommand,
                             DeleteCommand, AutoCommand, SetAuthenticationCommand, DownloadCommand,
                             SubscribeCommand, UnsubscribeCommand, SubscribersCommand,
                             SimulateCommand, DoctorCommand, VersionCommand, CompletionCommand>;

struct Invocation {
  Globals globals;
  Command command;
};

}  // namespace certpair::plugin
