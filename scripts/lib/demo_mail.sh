# shellcheck shell=bash
# The demo's mail: a server on loopback that keeps what it is sent, and a system about which it is sent something.
# Sourced, never run. Needs common.sh, process.sh, tour.sh, peer.sh and demo_state.sh.

# mail_start: an SMTP server that takes nothing before STARTTLS; its address is put into mail_address.
mail_start() {
  local port attempt
  mkdir -p "$dir/mail"
  peer_identity "$dir/mail" || return
  for attempt in 1 2 3 4 5; do
    port=$((20000 + SRANDOM % 12000))
    spawn "$records" aiosmtpd "$logs/mail.log" /usr/bin/python3 -m aiosmtpd --nosetuid --listen "127.0.0.1:$port" \
      --tlscert "$dir/mail/peer.crt" --tlskey "$dir/mail/peer.key" --class aiosmtpd.handlers.Mailbox "$mailbox"
    if listens "$records" aiosmtpd "$port"; then
      mail_address=127.0.0.1:$port
      return
    fi
    end_process "$records" aiosmtpd 2
  done
  tail -n 12 "$logs/mail.log"
  return 1
}

# Its certificate lasts ten minutes; a second after it was made there are less than 9m59s left, and that is a warning.
ending_system() {
  cat <<'END'
apiVersion: certpair.dev/v1
kind: ProvisioningSystem
metadata: {name: hr-trial, namespace: idm}
spec:
  displayName: HR Trial
  type: Source
  authorityRef: {name: demo-ca}
  certificate:
    subject: {commonName: hr-trial, organizations: [Example], countries: [DE]}
    validity: 10m
    key: {algorithm: ECDSA}
  notifications:
    warnBefore: [9m59s]
    subscribers: [{displayName: Identity team, email: idm@example.com}]
END
}

# await_mail SUBJECT: the file of the first mail about it.
await_mail() {
  local deadline=$((SECONDS + 30)) file
  while ((SECONDS < deadline)); do
    file=$(grep -lsE "^Subject: .*$1" "$mailbox"/new/* | head -n 1) && [[ -n $file ]] && break
    run sleep 0.1
  done
  [[ -n $file ]] || {
    tell "No mail \"$1\" arrived within 30 s. The conditions of the system:"
    kubectl -n idm get psys hr-trial -o "go-template=$conditions_template"
    return 1
  }
  tell "$file:"
  sed -nE '/^\r?$/q; s/\r$//; /^(From|To|Subject|Date|Message-I[dD]|Auto-Submitted):/p' "$file" | sed 's/^/    /'
}

look_at_mail() {
  tell "A fourth system has a certificate of ten minutes and a subscriber:"
  ending_system | tee "$scratch/hr-trial.yaml" | sed 's/^/    /'
  show kubectl apply -f "$scratch/hr-trial.yaml" || return
  await_mail 'Outbound Certificate Expiration\. Source System: HR Trial' || return
  tell "With regeneration on, the certificate is renewed at once, and the mail brings the new one:"
  show kubectl -n idm patch psys hr-trial --type=merge -p \
    '{"spec":{"certificate":{"validity":"8760h"},"automaticRegeneration":{"enabled":true,"before":"1h"}}}' || return
  await_mail 'Outbound Certificate Renewed\. Source System: HR Trial' || return
  show kubectl -n idm wait --for=condition=NotificationsDelivered psys/hr-trial --timeout=30s
}
