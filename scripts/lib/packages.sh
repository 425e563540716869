# shellcheck shell=bash
# The Debian packages that the project needs, and how they are installed. Sourced, never run. Needs common.sh.

# To compile the operator and the plugin, and to configure the tests, which CMake does with them.
packages_build=(
  g++ cmake ninja-build ccache pkg-config
  libcpprest-dev libboost1.74-dev libssl-dev nlohmann-json3-dev libyaml-cpp-dev libspdlog-dev libfmt-dev libcli11-dev
  prometheus-cpp-dev libcurl4-openssl-dev libgmime-3.0-dev libgtest-dev libgmock-dev
)
# To run a control plane (scripts/control-plane), and to build a missing one.
packages_control=(openssl ca-certificates util-linux python3 python3-venv)
# To compile and run the tests and benchmarks, and the demo's peer that demands a client certificate.
packages_test=(libbenchmark-dev nginx-light gnutls-bin python3-aiosmtpd python3-yaml curl git faketime)
# Of it promtool alone, which checks alerts; unpacked beside, not installed: it would start a server.
packages_promtool_unpacked=(prometheus)
# To run a node (scripts/cluster). The second list is unpacked beside, not installed: it would start services.
packages_node=(iproute2 util-linux)
packages_node_unpacked=(containerd runc containernetworking-plugins)
# To check the source.
packages_lint=(clang-19 libclang-rt-19-dev clang-format-19 clang-tidy-19 shellcheck)

# missing_packages NAME...: those that are not installed, one a line.
missing_packages() {
  local name
  for name in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed || printf '%s\n' "$name"
  done
}

# need_packages NAME...: as root, installs missing packages. Otherwise it prints the command and fails.
need_packages() {
  local missing
  have dpkg-query || { say "This is not Debian. Install the equivalents of these packages: $*"; return 0; }
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]} > 0)) || return 0
  if ((EUID != 0)); then
    say "These packages are missing. Install them, then start again:"
    say "  sudo apt-get install --no-install-recommends ${missing[*]}"
    return 1
  fi
  say "Installing: ${missing[*]}"
  apt_get update || return
  apt_get install --no-install-recommends "${missing[@]}"
}

# unpack_packages FOLDER NAME...: what the packages hold, without installing them. All or nothing.
unpack_packages() {
  local folder=$1 partial
  shift
  have dpkg-deb || { say "$* comes from Debian's packages, and this is not Debian"; return 1; }
  mkdir -p "$(dirname "$folder")"
  partial=$(mktemp -d "$folder.fetching.XXXXXX")
  say "Fetching $*"
  (cd "$partial" && chmod 755 . && apt_get update && apt_get download "$@" &&
    for package in *.deb; do dpkg-deb -x "$package" root || exit; done) || { rm -rf "$partial" && return 1; }
  rm -rf "$folder"
  mv -T "$partial/root" "$folder"
  rm -rf "$partial"
}

# Quiet, unless it fails; waits for another apt-get rather than fail because of it.
apt_get() {
  local log status=0
  log=$(mktemp)
  DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1 || status=$?
  ((status == 0)) || tail -n 20 "$log" >&2
  rm -f "$log"
  return "$status"
}
