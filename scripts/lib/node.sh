#!/usr/bin/env bash
# Process 1 of a cluster's namespaces. Only cluster.sh starts it.
#   node.sh DIR CONTROL_GROUP RUNTIME IMAGES...
set -euo pipefail
lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=$1 group=$2 runtime=$3
shift 3
images=("$@")

state=/run/certpair # on a private tmpfs, as all that is written here but the logs
address=10.77.0.1   # the node's; these three exist in our network namespace only
service=10.0.0.1    # "kubernetes" of the default namespace: served here, so kube-proxy is not needed
pods=10.77.1.0/24
export KUBECONFIG=$dir/kubeconfig CONTAINERD_ADDRESS=$state/containerd.sock

# in_background NAME COMMAND...
in_background() {
  local name=$1
  shift
  "$@" >"$dir/log/$name.log" 2>&1 </dev/null &
}

# until_true COMMAND...: cluster.sh limits the time.
until_true() { until "$@" >/dev/null 2>&1; do sleep 0.1; done; }

private_places() {
  local folder
  for folder in /run /var/lib/kubelet /var/log; do
    mkdir -p "$folder"
    mount -t tmpfs -o mode=755 tmpfs "$folder"
  done
  mkdir -p "$state"/{sysctl,cni}
  : >"$state/resolv.conf" # no DNS: a query must fail at once
  mount --bind "$state/resolv.conf" /etc/resolv.conf
}

# The kubelet sets these of the whole machine, unless they are as it wants them: it is shown that they are.
sysctls_as_wanted() {
  local name value
  while read -r name value; do
    printf '%s\n' "$value" >"$state/sysctl/${name//\//.}"
    mount --bind "$state/sysctl/${name//\//.}" "/proc/sys/$name"
  done <<END
vm/overcommit_memory 1
vm/panic_on_oom 0
kernel/panic 10
kernel/panic_on_oops 1
kernel/keys/root_maxkeys 1000000
kernel/keys/root_maxbytes 25000000
END
}

network() {
  ip link set lo up
  ip address add "$address/32" dev lo
  ip address add "$service/32" dev lo
  ip route add default dev lo src "$address"
  cat >"$state/cni/10-pods.conflist" <<END
{"cniVersion": "0.4.0", "name": "pods", "plugins": [{"type": "bridge", "bridge": "pods0", "isGateway": true, "hairpinMode": true,
  "ipam": {"type": "host-local", "ranges": [[{"subnet": "$pods"}]], "routes": [{"dst": "0.0.0.0/0"}], "dataDir": "$state/ipam"}}]}
END
}

# One token each; the file of users is the API server's.
credentials() {
  local user groups token name
  umask 077
  openssl ecparam -name prime256v1 -genkey -noout -out "$state/service-accounts.key"
  while read -r name user groups; do
    token=$(head -c 24 /dev/urandom | base64 | tr '+/' '-_')
    printf '%s,%s,%s,"%s"\n' "$token" "$user" "$name" "$groups" >>"$state/users.csv"
    cat >"$state/$name.kubeconfig" <<END
apiVersion: v1
kind: Config
clusters: [{name: cluster, cluster: {server: "https://$address:443", certificate-authority: $state/api/apiserver.crt}}]
users: [{name: $name, user: {token: "$token"}}]
contexts: [{name: cluster, context: {cluster: cluster, user: $name}}]
current-context: cluster
END
  done <<END
admin admin system:masters
controllers system:kube-controller-manager system:masters
scheduler system:kube-scheduler
node system:node:node system:nodes
END
  cp "$state/admin.kubeconfig" "$KUBECONFIG"
  umask 022
}

api_server() {
  local url=http://127.0.0.1
  in_background etcd etcd --data-dir "$state/etcd" --unsafe-no-fsync --log-level error \
    --listen-client-urls $url:2379 --advertise-client-urls $url:2379 \
    --listen-peer-urls $url:2380 --initial-advertise-peer-urls $url:2380 --initial-cluster default=$url:2380
  in_background kube-apiserver kube-apiserver --etcd-servers=$url:2379 --bind-address=0.0.0.0 --advertise-address="$address" \
    --secure-port=443 --cert-dir="$state/api" --service-cluster-ip-range=10.0.0.0/24 \
    --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --token-auth-file="$state/users.csv" \
    --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$state/service-accounts.key" \
    --service-account-signing-key-file="$state/service-accounts.key" --kubelet-preferred-address-types=InternalIP
}

container_runtime() {
  local image
  cat >"$state/containerd.toml" <<END
version = 2
root = "$state/containerd"
state = "$state/containerd-state"
[grpc]
  address = "$CONTAINERD_ADDRESS"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$runtime/usr/lib/cni"
    conf_dir = "$state/cni"
END
  in_background containerd containerd --config "$state/containerd.toml"
  # What holds a pod's namespaces has to wait, and nothing else.
  python3 "$lib/oci.py" --archive "$state/pause.tar" --name localhost/pause:1 --entrypoint "/usr/bin/sleep infinity" /usr/bin/sleep=usr/bin/sleep
  until_true ctr version
  for image in "$state/pause.tar" "${images[@]}"; do
    ctr -n k8s.io images import "$image"
  done
}

controllers() {
  # Each with an account of its own, as those of real clusters have: policies know the collectors by these.
  in_background kube-controller-manager kube-controller-manager --kubeconfig="$state/controllers.kubeconfig" \
    --service-account-private-key-file="$state/service-accounts.key" --root-ca-file="$state/api/apiserver.crt" \
    --use-service-account-credentials --leader-elect=false --controllers='*,-nodeipam' \
    --flex-volume-plugin-dir="$state/flex" --secure-port=0 --kube-api-qps=500 --kube-api-burst=1000
  in_background kube-scheduler kube-scheduler --kubeconfig="$state/scheduler.kubeconfig" --leader-elect=false --secure-port=0
}

kubelet_of_node() {
  cat >"$state/kubelet.yaml" <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
cgroupRoot: /$group
containerRuntimeEndpoint: unix://$CONTAINERD_ADDRESS
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
volumePluginDir: $state/flex
evictionHard: {memory.available: 50Mi, nodefs.available: 1%, imagefs.available: 1%}
END
  in_background kubelet kubelet --config="$state/kubelet.yaml" --kubeconfig="$state/node.kubeconfig" \
    --hostname-override=node --node-ip="$address"
}

hostname node
private_places
sysctls_as_wanted
network
credentials
api_server
container_runtime
until_true test -s "$state/api/apiserver.crt"
until_true kubectl get --raw /readyz
controllers
kubelet_of_node
until_true kubectl wait --for=condition=Ready node/node --timeout=2s
until_true kubectl -n default get serviceaccount/default configmap/kube-root-ca.crt
: >"$dir/ready"
# Process 1 inherits orphaned processes. bash reaps them.
while :; do
  sleep 86400 &
  wait $! || true
done
