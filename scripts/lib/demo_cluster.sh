# shellcheck shell=bash
# What scripts/demo --cluster shows: the chart on a cluster that runs pods. Sourced, never run. Needs what scripts/demo
# has sourced; the folder of the cluster is in the demo's.

# From here on both work inside the cluster's namespaces. Functions, so that the tour prints what a person would type.
speak_to_cluster() {
  kubectl() { "$scripts/cluster" run --dir "$dir/cluster" kubectl "$@"; }
  helm() { "$scripts/cluster" run --dir "$dir/cluster" helm "$@"; }
}

cluster_tour() {
  speak_to_cluster
  step "Can this machine run pods?" look_whether_it_can || return
  step "Debian packages" install_cluster_packages || return
  step "Build the operator" build_operator || return
  step "Build its image, without a container engine" make_image || return
  step "Start a one-node cluster" start_cluster || return
  step "helm install" install_chart || return
  step "Create an authority and three systems" create_systems || return
  step "Read their status" look_at_systems || return
  step "Only the operator changes the Secret of a pair" try_the_policies || return
  step "Kill the leader: another replica takes over" kill_the_leader || return
  step "helm upgrade, and rollback" upgrade_and_back || return
  step "helm uninstall: systems, Secrets and CRDs stay" uninstall_chart || return
}

look_whether_it_can() {
  run "$scripts/cluster" can && tell "Yes: root, control groups and namespaces are available."
}

install_cluster_packages() {
  need_packages "${packages_build[@]}" "${packages_control[@]}" "${packages_node[@]}" || return
  tell "All packages are installed."
}

make_image() { run "$scripts/image" --program "$operator" --output "$scratch/certpair.tar" | sed 's/^/  /'; }

start_cluster() {
  tell "The first time this builds kubelet, kube-scheduler and helm, and fetches containerd. It takes some minutes."
  run "$scripts/control-plane" helm >/dev/null || return
  run "$scripts/cluster" up --dir "$dir/cluster" --image "$scratch/certpair.tar" 2>"$logs/cluster.log" || {
    cat "$logs/cluster.log"
    return 1
  }
  show kubectl get nodes
}

install_chart() {
  cd "$certpair_root" || return
  show kubectl create namespace certpair-system || return
  show kubectl label namespace certpair-system pod-security.kubernetes.io/enforce=restricted || return
  show helm install certpair charts/certpair -n certpair-system --wait --timeout 120s || return
  show kubectl -n certpair-system get pods
}

try_the_policies() {
  local answer
  # shellcheck disable=SC2089
  for answer in "delete secret hr-cloud-outbound" "label secret hr-cloud-outbound app.kubernetes.io/managed-by-" \
    "patch psys hr-cloud --subresource=status --type=merge -p {\"status\":{\"expires\":\"2100-01-01T00:00:00Z\"}}"; do
    # shellcheck disable=SC2086,SC2090 # words; the braces are as they are
    if show kubectl -n idm $answer; then
      tell "The API server should have refused this."
      return 1
    fi
  done
}

leader_of_lease() { kubectl -n certpair-system get lease certpair-controller -o 'jsonpath={.spec.holderIdentity}'; }

kill_the_leader() {
  local before now container begin
  before=$(leader_of_lease) || return
  container=$(kubectl -n certpair-system get pod "${before%%_*}" -o 'jsonpath={.status.containerStatuses[0].containerID}') || return
  tell "${before%%_*} leads. Kill it:"
  show "$scripts/cluster" run --dir "$dir/cluster" ctr tasks kill --signal SIGKILL "${container#containerd://}" || return
  begin=$SECONDS
  until now=$(leader_of_lease) && [[ -n $now && $now != "$before" ]]; do
    ((SECONDS - begin < 60)) || { tell "No replica takes over."; return 1; }
    run sleep 0.2
  done
  tell "After $((SECONDS - begin)) s ${now%%_*} leads. (The Lease lasts 15 s. After a SIGTERM another replica takes over at once.)"
}

upgrade_and_back() {
  show_brief helm upgrade certpair charts/certpair -n certpair-system --set controller.logLevel=debug --wait --timeout 120s || return
  show_brief helm rollback certpair 1 -n certpair-system --wait --timeout 120s || return
  show helm history certpair -n certpair-system
}

uninstall_chart() {
  show helm uninstall certpair -n certpair-system --wait || return
  show kubectl -n idm get psys,secrets || return
  tell "A new installation continues with them:"
  show_brief helm install certpair charts/certpair -n certpair-system --wait --timeout 120s || return
  show kubectl -n idm get psys
}

# show_brief COMMAND...: without the notes that helm prints each time.
show_brief() {
  local said status=0
  printf '%s  $ %s%s\n' "$dim" "$*" "$plain"
  said=$(run "$@" 2>&1) || status=$?
  grep -E '^(STATUS|REVISION|DESCRIPTION|Error|Rollback)' <<<"$said" | sed 's/^/  /'
  return "$status"
}

stay_with_cluster() {
  printf '\n%sTry it by hand%s, in another terminal:\n\n' "$bold" "$plain"
  tell "$scripts/cluster run --dir $(printf '%q' "$dir/cluster") bash"
  printf '\n  It has kubectl, helm and ctr, and reaches the addresses of pods: kubectl get pods -A -o wide\n'
  printf '\n%sEverything runs until you press Ctrl-C here.%s\n' "$bold" "$plain"
  when_interrupted=0
  run sleep infinity
}
