# shellcheck shell=bash
# A peer that demands a client certificate: nginx on loopback, with files of its own only. Sourced, never run.
# Needs common.sh and process.sh.

# peer_start RECORDS DIR CA LOG: starts it, and puts its address into peer_address. CA is whom it trusts with client
# certificates.
peer_start() {
  local records=$1 dir=$2 ca=$3 log=$4 port attempt
  mkdir -p "$dir"
  peer_identity "$dir" || return
  for attempt in 1 2 3 4 5; do
    port=$((20000 + SRANDOM % 12000))
    peer_configuration "$dir" "$ca" "$port" >"$dir/nginx.conf"
    spawn "$records" nginx "$log" "$(nginx_program)" -p "$dir" -e stderr -c "$dir/nginx.conf"
    if listens "$records" nginx "$port"; then
      peer_address=https://127.0.0.1:$port/
      return
    fi
    end_process "$records" nginx 2
    grep -q 'Address already in use' "$log" || break
  done
  tail -n 12 "$log"
  return 1
}

# Debian keeps it where only root's PATH looks.
nginx_program() { PATH=$PATH:/usr/sbin command -v nginx; }

# Its own certificate, which is its own authority: the client trusts exactly this one.
peer_identity() {
  local dir=$1
  (
    umask 077
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=peer.example" \
      -addext "subjectAltName=IP:127.0.0.1" -keyout "$dir/peer.key" -out "$dir/peer.crt" 2>"$dir/openssl.log"
  ) && return
  cat "$dir/openssl.log"
  return 1
}

# peer_configuration DIR CA PORT. One process, no privileges, nothing outside of DIR.
peer_configuration() {
  local dir=$1 ca=$2 port=$3 kind
  cat <<END
daemon off;
master_process off;
pid "$dir/nginx.pid";
error_log stderr;
events {}
http {
  access_log off;
  default_type text/plain;
$(for kind in client_body proxy fastcgi uwsgi scgi; do printf '  %s_temp_path "%s/tmp";\n' "$kind" "$dir"; done)
  server {
    listen 127.0.0.1:$port ssl;
    ssl_certificate "$dir/peer.crt";
    ssl_certificate_key "$dir/peer.key";
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_verify_client on;
    ssl_client_certificate "$ca";
    location / { return 200 "Hello \$ssl_client_s_dn, verified: \$ssl_client_verify\n"; }
  }
}
END
}

# listens RECORDS NAME PORT: waits until it does; fails when it ended, or after five seconds.
listens() {
  local tries
  for ((tries = 100; tries > 0; tries--)); do
    is_running "$1" "$2" || return 1
    if (exec 3<>"/dev/tcp/127.0.0.1/$3") 2>/dev/null; then return 0; fi
    sleep 0.05
  done
  return 1
}
