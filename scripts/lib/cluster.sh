# shellcheck shell=bash
# A cluster of one node, seen from outside: its folder, its namespaces, its control groups. Sourced, never run.
# Needs common.sh, process.sh, packages.sh and binaries.sh. What happens inside is node.sh.
#
# The folder holds logs, an administrator's kubeconfig, and `processes`: the record of one process. When it ends, the kernel ends
# all others, because it is the parent of process 1 of a process namespace.

readonly cluster_ready_within=120 # seconds; five are usual

# cluster_can MAY_BUILD: says why not, and fails, where this machine cannot.
cluster_can() {
  local why=''
  if ((EUID != 0)); then
    why="it needs root"
  elif [[ ! -d /sys/fs/cgroup/memory ]]; then
    why="it needs control groups of version 1 (/sys/fs/cgroup/memory), and this machine has version 2"
  elif ! unshare --net --mount --pid --ipc --uts --fork true 2>/dev/null; then
    why="this machine forbids new namespaces"
  elif ! have ip; then
    why="ip is missing (Debian: apt-get install iproute2)"
  elif [[ $1 == false ]] && ! { node_binaries false && node_runtime false; } >/dev/null 2>&1; then
    why="kubelet, kube-scheduler or containerd are not in the cache (scripts/cluster up fetches them)"
  fi
  [[ -z $why ]] || { say "no cluster: $why" && return 1; }
}

# node_runtime MAY_FETCH: prints the folder with containerd, runc and the network plugins, from Debian's packages.
node_runtime() {
  local folder
  folder=$(cache_dir)/node/runtime
  if [[ ! -x $folder/usr/bin/containerd ]]; then
    [[ $1 == true ]] || { say "no containerd in $folder"; return 1; }
    unpack_packages "$folder" "${packages_node_unpacked[@]}" || return
  fi
  printf '%s\n' "$folder"
}

# cluster_get MAY_BUILD: prints three lines: the folders of the control plane, of the node's programs and of containerd.
cluster_get() {
  cluster_can "$1" && control_plane_binaries "$1" && node_binaries "$1" && node_runtime "$1"
}

# cluster_up DIR MAY_BUILD IMAGES...
cluster_up() {
  local dir=$1 may_build=$2 folders programs node runtime begin group deadline
  shift 2
  folders=$(cluster_get "$may_build") || return
  { read -r programs && read -r node && read -r runtime; } <<<"$folders"
  begin=$(date +%s%N)
  [[ -z $(node_process "$dir") ]] || die "a cluster already runs in $dir. End it with: $0 down --dir $dir"
  cluster_down "$dir" # what one left that went down with the machine
  mkdir -p "$dir/log"
  chmod 700 "$dir"
  group=certpair-$SRANDOM
  printf '%s\n' "$group" >"$dir/group"
  printf '%s\n' "$programs:$node:$runtime/usr/bin:$runtime/usr/sbin" >"$dir/path"
  for controller in /sys/fs/cgroup/*/; do mkdir -p "$controller$group" 2>/dev/null || true; done
  trap 'cluster_down "$dir" || true' EXIT
  trap 'exit 130' INT TERM HUP
  : >"$dir/processes"
  spawn "$dir/processes" node "$dir/log/node.log" env "PATH=$(<"$dir/path"):$PATH" \
    unshare --net --mount --pid --ipc --uts --fork --kill-child --mount-proc --propagation private \
    "$certpair_root/scripts/lib/node.sh" "$dir" "$group" "$runtime" "$@"
  deadline=$((SECONDS + cluster_ready_within))
  until [[ -e $dir/ready ]]; do
    # Not node_process: in its first moments the parent has no child yet.
    if ! is_running "$dir/processes" node || ((SECONDS > deadline)); then
      tail -n 15 "$dir"/log/*.log | cut -c 1-300 >&2
      die "the cluster did not start"
    fi
    sleep 0.1
  done
  trap - EXIT INT TERM HUP
  say "The cluster is ready ($((($(date +%s%N) - begin) / 1000000)) ms)."
  say "  $0 run --dir $dir kubectl get pods -A"
  say "  end it: $0 down --dir $dir"
}

# The process ID, outside, of process 1 of the namespaces; empty if there is no cluster.
node_process() {
  local parent
  parent=$(recorded_pid "$1/processes" node)
  [[ -z $parent ]] || cat "/proc/$parent/task/$parent/children" 2>/dev/null || true
}

# cluster_run DIR COMMAND...
cluster_run() {
  local dir=$1 pid helm
  shift
  read -r pid _ < <(node_process "$dir") || true
  [[ -n ${pid:-} ]] || die "no cluster in $dir"
  helm=$(helm_program false 2>/dev/null) && PATH=$(dirname "$helm"):$PATH
  PATH=$(<"$dir/path"):$PATH KUBECONFIG=$dir/kubeconfig KUBERC=off KUBECACHEDIR=$dir/kubectl-cache \
    CONTAINERD_ADDRESS=/run/certpair/containerd.sock CONTAINERD_NAMESPACE=k8s.io HELM_CACHE_HOME=$dir/helm-cache \
    exec nsenter --target "$pid" --net --mount --pid --ipc --uts --wdns="$PWD" -- "$@"
}

# cluster_down DIR
cluster_down() {
  local dir=$1 pid group controller tries
  [[ -d $dir ]] || return 0
  read -r pid _ < <(node_process "$dir") || true
  [[ -z ${pid:-} ]] || kill -KILL "$pid" 2>/dev/null || true # the kernel ends the others of the namespace
  end_process "$dir/processes" node 5 || return
  if [[ -s $dir/group ]]; then
    group=$(<"$dir/group")
    for controller in /sys/fs/cgroup/*/; do
      for ((tries = 50; tries > 0; tries--)); do
        [[ -d $controller$group ]] || break
        find "$controller$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
        [[ ! -d $controller$group ]] || sleep 0.1
      done
    done
  fi
  rm -rf "${dir:?}"/{group,path,processes,ready,kubeconfig,kubectl-cache,helm-cache,log}
  rmdir --ignore-fail-on-non-empty "$dir"
}
