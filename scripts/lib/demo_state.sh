# shellcheck shell=bash
# The folder of scripts/demo, its processes, and its end. Sourced, never run.
# Needs common.sh, process.sh and tour.sh.

scripts=$certpair_root/scripts
operator=$certpair_root/build/release/bin/certpair-controller
systems=(hr-cloud abap-prod directory-proxy) # of examples/
when_interrupted=130
folder_claim='' # the lock on our folder, which must end with us: see run

# claim_demo_folder DIR: takes DIR, or where none is named the first free one of the cache; ends what an earlier demo
# left there when it was killed.
claim_demo_folder() {
  local number
  if [[ -n $1 ]]; then
    claim_folder_of_demo "$(realpath -m -- "$1")" || die "a demo already runs in $1. Choose another folder"
    return
  fi
  for ((number = 1; number <= 20; number++)); do
    claim_folder_of_demo "$(cache_dir)/run/demo-$number" && return
  done
  die "20 demos are running, the maximum"
}

claim_folder_of_demo() {
  local left=()
  dir=$1
  mkdir -p "$dir"
  exec {folder_claim}<"$dir"
  if ! flock -n "$folder_claim"; then
    exec {folder_claim}<&-
    return 1
  fi
  mapfile -t left < <(ls -A "$dir")
  if ((${#left[@]} > 0)) && [[ ! -f $dir/processes && ${left[*]} != logs ]]; then
    die "$dir is not empty, and is not the folder of a demo. Choose another folder"
  fi
  chmod 700 "$dir"
  records=$dir/processes control_plane=$dir/control-plane logs=$dir/logs pairs=$dir/pairs scratch=$dir/scratch
  mailbox=$dir/mail/box
  [[ ! -f $records ]] || end_processes || die "processes of an earlier demo in $dir do not end"
  remove_files
  rm -rf "$logs"
  : >"$records"
  mkdir -p "$logs" "$scratch"
}

# In the order in which they need each other. True when all of them have ended.
end_processes() {
  local status=0
  end_process "$records" certpair-controller 8 || status=1
  end_process "$records" nginx 3 || status=1
  end_process "$records" aiosmtpd 3 || status=1
  "$scripts/control-plane" down --dir "$control_plane" --quiet || status=1
  "$scripts/cluster" down --dir "$dir/cluster" || status=1
  return "$status"
}

# All but the logs.
remove_files() {
  rm -rf "$dir"/{operator,peer,mail,pairs,scratch,kubectl-cache}
  rm -f "$records"
}

exec {stdout}>&1 {stderr}>&2

# The end of the script, however it came: maybe amid a command whose output goes elsewhere.
leave() {
  local status=$?
  trap '' INT TERM HUP
  trap - EXIT
  exec 1>&"$stdout" 2>&"$stderr"
  end_running_job
  printf '\n'
  cp "$control_plane"/*.log "$dir"/cluster/log/*.log "$logs" 2>/dev/null || true # they go with the control plane
  if ! end_processes; then
    printf '%sSome processes have not ended: see %s%s\n' "$red" "$records" "$plain"
    exit 1
  fi
  remove_files
  printf 'The operator, nginx, the mail server and the control plane have ended. No process is left.\n'
  if [[ $keep == true ]] || ((status != 0 && status != 130)); then
    printf 'The logs are in %s\n' "$logs"
  else
    rm -rf "$logs"
    rmdir --ignore-fail-on-non-empty "$dir"
  fi
  exit "$status"
}

# A kubeconfig that holds nothing but a token of the operator's service account.
make_operator_kubeconfig() {
  local server ca
  mkdir "$dir/operator"
  server=$(kubectl config view --minify -o 'jsonpath={.clusters[0].cluster.server}') || return
  ca=$(kubectl config view --minify --raw -o 'jsonpath={.clusters[0].cluster.certificate-authority-data}') || return
  (
    umask 077
    kubectl -n certpair-system create token certpair-controller --duration=720h >"$dir/operator/token" || exit
    cat >"$dir/operator/kubeconfig" <<END
apiVersion: v1
kind: Config
clusters:
- name: demo
  cluster: {server: "$server", certificate-authority-data: "$ca"}
users:
- name: certpair-controller
  user: {tokenFile: token}
contexts:
- name: demo
  context: {cluster: demo, user: certpair-controller}
current-context: demo
END
  )
}

# Until it says that it is ready; fails when it ended, or after 30 seconds. It picked its ports, and logged them.
wait_for_operator() {
  local deadline=$((SECONDS + 30)) answer
  metrics_port='' health_port=''
  while ((SECONDS < deadline)); do
    is_running "$records" certpair-controller || {
      tell "The operator ended:"
      cat "$logs/operator.log"
      return 1
    }
    metrics_port=$(logged_port metricsPort)
    health_port=$(logged_port healthPort)
    [[ -n $health_port ]] && answer=$(fetch "http://127.0.0.1:$health_port/readyz" 2>&1) && return
    run sleep 0.1
  done
  tell "The operator is not ready after 30 s: ${answer:-it has not logged its ports}"
  return 1
}

logged_port() { sed -n "s/.* $1=\([0-9]*\).*/\1/p" "$logs/operator.log" | head -n 1; }

# Of an address on this machine: no proxy, no settings of the user's.
fetch() { curl -q --noproxy '*' --silent --show-error --fail-with-body --max-time 10 "$@"; }

# visit CURL-OPTIONS...: the peer's answer, whatever it is.
visit() { curl -q --noproxy '*' --silent --show-error --max-time 10 --cacert "$dir/peer/peer.crt" "$@" "$peer_address"; }

title_of() { sed -n 's/.*<title>\(.*\)<\/title>.*/\1/p' <<<"$1"; }

# fetch_pair SYSTEM: its active pair into files that only we can read.
fetch_pair() {
  local name=$1 secret
  secret=$(kubectl -n idm get psys "$name" -o 'jsonpath={.status.secretName}') || return
  (
    umask 077
    secret_value "$secret" 'tls\.crt' >"$pairs/$name.crt" &&
      secret_value "$secret" 'tls\.key' >"$pairs/$name.key" &&
      secret_value "$secret" 'ca\.crt' >"$pairs/$name-ca.crt"
  )
}

secret_value() { kubectl -n idm get secret "$1" -o "jsonpath={.data.$2}" | base64 -d; }

describe_key() {
  openssl x509 -in "$1" -noout -text | sed -n -e 's/^ *Public Key Algorithm: /key: /p' -e 's/^ *Public-Key: /     /p' |
    paste -sd ' ' | tr -s ' '
}

# The subject of the first system, self-signed.
make_impostor() {
  (
    umask 077
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
      -subj "/C=DE/O=Example/CN=${systems[0]}" -keyout "$pairs/impostor.key" -out "$pairs/impostor.crt" 2>/dev/null
  )
}
