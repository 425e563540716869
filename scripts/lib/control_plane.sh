# shellcheck shell=bash
# A Kubernetes control plane on loopback: etcd, kube-apiserver and kube-controller-manager. Sourced, never run.
# Needs common.sh, process.sh and binaries.sh.
#
# One folder holds everything of one control plane: keys, data, logs, kubeconfig, and `processes`, the record of
# what runs. A user who can read that folder is its administrator, so it has mode 0700. The data is throw-away: etcd does
# not wait for the disk.

readonly ready_within=60 # seconds; about three are usual, a busy machine takes longer

# control_plane_up DIR WITH_KCM MAY_BUILD API_ARGS...
control_plane_up() {
  local dir=$1 with_kcm=$2 bin attempt begin
  bin=$(control_plane_binaries "$3") || die "the programs of the control plane are missing; see above"
  shift 3
  claim_folder "$dir"
  begin=$(date +%s%N)
  trap 'control_plane_down "$dir" || true' EXIT
  trap 'exit 130' INT TERM HUP
  make_credentials "$dir"
  for ((attempt = 1; ; attempt++)); do
    start_processes "$dir" "$bin" "$with_kcm" "$@" && break
    if ((attempt == 5)) || ! port_was_taken "$dir"; then
      show_logs "$dir"
      die "the control plane did not start"
    fi
    say "Another process took a port. Trying again."
    end_all "$dir"
    rm -rf "$dir/etcd"
  done
  trap - EXIT INT TERM HUP
  say "The control plane is ready ($((($(date +%s%N) - begin) / 1000000)) ms)."
  say "  export KUBECONFIG=$dir/kubeconfig"
  say "  export PATH=$bin:\$PATH"
  say "  end it: ${0} down --dir $dir"
}

# From here on the folder is this process's, private, and holds nothing but `processes`.
claim_folder() {
  local dir=$1 claim
  mkdir -p "$dir"
  exec {claim}<"$dir"
  flock -n "$claim" || die "another process is starting a control plane in $dir"
  if [[ -f $dir/processes ]]; then
    [[ -z $(running_names "$dir") ]] || die "a control plane already runs in $dir. End it with: $0 down --dir $dir"
    remove_traces "$dir" # of one that went down with the machine
  fi
  [[ -z $(ls -A "$dir") ]] || die "$dir is not empty, and is not the folder of a control plane. Choose another folder"
  chmod 700 "$dir"
  : >"$dir/processes"
}

make_credentials() {
  local dir=$1
  (
    umask 077
    openssl ecparam -name prime256v1 -genkey -noout -out "$dir/service-accounts.key"
    head -c 24 /dev/urandom | base64 | tr '+/' '-_' >"$dir/admin.token"
    printf '%s,admin,admin,"system:masters"\n' "$(<"$dir/admin.token")" >"$dir/tokens.csv"
  )
}

start_processes() {
  local dir=$1 bin=$2 with_kcm=$3 client peer secure
  shift 3
  : >"$dir/processes"
  read -r client peer secure < <(free_ports 3)
  spawn "$dir/processes" etcd "$dir/etcd.log" "$bin/etcd" --data-dir "$dir/etcd" --unsafe-no-fsync --log-level error \
    --listen-client-urls "http://127.0.0.1:$client" --advertise-client-urls "http://127.0.0.1:$client" \
    --listen-peer-urls "http://127.0.0.1:$peer" --initial-advertise-peer-urls "http://127.0.0.1:$peer" \
    --initial-cluster "default=http://127.0.0.1:$peer"
  # The prefix is random, so that a port taken by another control plane's etcd cannot mix the two.
  spawn "$dir/processes" kube-apiserver "$dir/kube-apiserver.log" "$bin/kube-apiserver" \
    --etcd-servers="http://127.0.0.1:$client" --etcd-prefix="/registry-$SRANDOM" \
    --bind-address=127.0.0.1 --secure-port="$secure" --cert-dir="$dir/apiserver" \
    --service-cluster-ip-range=10.0.0.0/24 --endpoint-reconciler-type=none \
    --authorization-mode=RBAC --token-auth-file="$dir/tokens.csv" \
    --service-account-issuer=https://kubernetes.default.svc \
    --service-account-key-file="$dir/service-accounts.key" \
    --service-account-signing-key-file="$dir/service-accounts.key" "$@"
  wait_for "$dir" test -s "$dir/apiserver/apiserver.crt" || return
  write_kubeconfig "$dir" "$secure"
  wait_for "$dir" is_ready "$dir" "$bin" || return
  [[ $with_kcm == true ]] || return 0
  spawn "$dir/processes" kube-controller-manager "$dir/kube-controller-manager.log" "$bin/kube-controller-manager" \
    --kubeconfig="$dir/kubeconfig" --service-account-private-key-file="$dir/service-accounts.key" \
    --root-ca-file="$dir/apiserver/apiserver.crt" --leader-elect=false --controllers='*,-nodeipam' \
    --flex-volume-plugin-dir="$dir/flex" --kube-api-qps=500 --kube-api-burst=1000 --secure-port=0
  # It makes this one for every namespace, once its loops run.
  wait_for "$dir" kubectl_in "$dir" "$bin" -n default get configmap kube-root-ca.crt
}

# The certificate is the API server's own, self-signed, and so the CA too.
write_kubeconfig() {
  local dir=$1 ca
  ca=$(base64 -w0 "$dir/apiserver/apiserver.crt")
  (
    umask 077
    cat >"$dir/kubeconfig" <<END
apiVersion: v1
kind: Config
clusters:
- name: certpair
  cluster: {server: "https://127.0.0.1:$2", certificate-authority-data: $ca}
users:
- name: admin
  user: {token: "$(<"$dir/admin.token")"}
contexts:
- name: certpair
  context: {cluster: certpair, user: admin}
current-context: certpair
END
  )
}

kubectl_in() {
  local dir=$1 bin=$2
  shift 2
  "$bin/kubectl" --kubeconfig "$dir/kubeconfig" --cache-dir "$dir/kubectl-cache" "$@" >/dev/null 2>&1
}
is_ready() { kubectl_in "$1" "$2" get --raw /readyz; }

# wait_for DIR COMMAND...: until it succeeds; fails when a process of DIR ends first, or when it takes too long.
wait_for() {
  local dir=$1 deadline=$((SECONDS + ready_within)) name
  shift
  until "$@"; do
    for name in $(started_names "$dir"); do
      is_running "$dir/processes" "$name" || return 1
    done
    if ((SECONDS > deadline)); then
      say "not ready after $ready_within s"
      return 1
    fi
    sleep 0.1
  done
}

started_names() {
  local name _
  while read -r name _; do printf '%s\n' "$name"; done <"$1/processes"
}

running_names() {
  local name
  for name in $(started_names "$1"); do
    if is_running "$1/processes" "$name"; then printf '%s\n' "$name"; fi
  done
}

port_was_taken() { grep -qs 'address already in use' "$1"/*.log; }

show_logs() {
  local log
  for log in "$1"/*.log; do
    [[ -s $log ]] || continue
    say "--- the end of ${log##*/}"
    tail -n 12 "$log" | cut -c 1-300 >&2
  done
}

# free_ports N: unused ports below the range from which the kernel takes ports itself.
free_ports() {
  local port wanted=$1 found=()
  while ((${#found[@]} < wanted)); do
    port=$((20000 + SRANDOM % 12000))
    [[ " ${found[*]} " == *" $port "* ]] && continue
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || found+=("$port")
  done
  printf '%s ' "${found[@]}"
  printf '\n'
}

end_all() {
  local status=0
  end_process "$1/processes" kube-controller-manager 3 || status=1
  end_process "$1/processes" kube-apiserver 3 || status=1
  end_process "$1/processes" etcd 3 || status=1
  return "$status"
}

# remove_traces DIR: removes what a control plane leaves there, and nothing else.
remove_traces() {
  local dir=$1
  rm -rf "$dir"/{etcd,apiserver,flex,kubectl-cache}
  rm -f "$dir"/{admin.token,tokens.csv,service-accounts.key,kubeconfig,etcd.log,kube-apiserver.log,kube-controller-manager.log}
  rm -f "$dir/processes"
}

# control_plane_down DIR QUIET
control_plane_down() {
  local dir=$1
  if [[ ! -f $dir/processes ]]; then
    [[ ${2:-false} == true ]] || say "no control plane in $dir"
    return 0
  fi
  end_all "$dir" || return
  remove_traces "$dir"
  rmdir --ignore-fail-on-non-empty "$dir"
}

# control_plane_status DIR: 0 if all that was started runs, 3 otherwise (as LSB init scripts have it).
control_plane_status() {
  local dir=$1 name status=0
  if [[ ! -s $dir/processes ]]; then
    printf 'no control plane in %s\n' "$dir"
    return 3
  fi
  for name in $(started_names "$dir"); do
    if is_running "$dir/processes" "$name"; then
      printf '%s: runs, process %s\n' "$name" "$(recorded_pid "$dir/processes" "$name")"
    else
      printf '%s: ended\n' "$name"
      status=3
    fi
  done
  printf 'kubeconfig: %s\n' "$dir/kubeconfig"
  return "$status"
}
