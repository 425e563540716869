"""The chart on a cluster that runs pods: installed, at work, and through what happens to clusters.

Runs inside the cluster's network (tests/e2e/run). Each test leaves an installation that works, with no system in it.
"""
import base64
import collections
import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time
import unittest

import yaml

from chart import (AUTHORITIES, CHART, NAMESPACE, ROOT, SECRETS, SYSTEMS, Api, eventually, run)

PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/certpair-controller"
KUBECONFIG = os.environ.get("KUBECONFIG", "")
LEASE_SECONDS = 15  # controller.leaderElection.leaseDuration
SLACK = 5           # what a busy machine adds


# Minutes of waiting for Leases to run out, which is why .ci/run leaves these out; scripts/test runs them.
takes_long = unittest.skipIf(os.environ.get("CERTPAIR_E2E_SHORT"), "e2e: tests that wait for minutes are left out with CERTPAIR_E2E_SHORT")


def small_system(name):
    """P-256: a thousand keys in a moment."""
    return {"apiVersion": "certpair.dev/v1", "kind": "ProvisioningSystem", "metadata": {"name": name},
            "spec": {"type": "Target", "authorityRef": {"name": "e2e"},
                     "certificate": {"subject": {"commonName": name}, "key": {"algorithm": "ECDSA", "size": 256}}}}


class Certificates:
    """All certificates that were ever the active ones of the namespace, as a watch of its Secrets shows them."""

    def __init__(self, namespace):
        self.of = collections.defaultdict(list)  # by Secret, in order of appearance
        self.writes = 0
        self.api = Api(KUBECONFIG)
        self.path = SECRETS.format(namespace) + "?labelSelector=app.kubernetes.io/managed-by%3Dcertpair&watch=true&resourceVersion="
        _, listed, _ = self.api("GET", SECRETS.format(namespace) + "?limit=1")
        self.version = listed["metadata"]["resourceVersion"]
        self.thread = threading.Thread(target=self.follow, daemon=True)
        self.thread.start()

    def follow(self):
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException):  # closed
            connection = self.api.connection
            connection.request("GET", self.path + self.version, headers={"Authorization": f"Bearer {self.api.token}"})
            connection.sock.settimeout(None)
            with connection.getresponse() as answer:
                for line in answer:
                    self.note(json.loads(line))
        self.api.connection.close()

    def note(self, event):
        if event["type"] not in ("ADDED", "MODIFIED"):
            return
        self.writes += 1
        found = hashlib.sha256(event["object"]["data"]["tls.crt"].encode()).hexdigest()
        seen = self.of[event["object"]["metadata"]["name"]]
        if found not in seen:
            seen.append(found)

    def close(self):
        sock = self.api.connection.sock
        if sock:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            self.thread.join()


class ClusterTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not KUBECONFIG or run(["kubectl", "get", "node", "node"]).returncode != 0:
            raise unittest.SkipTest("it is not in a cluster: tests/e2e/run starts one")
        cls.api = Api(KUBECONFIG)
        cls.addClassCleanup(cls.api.connection.close)
        cls.api.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}})
        cls.helm("install", "certpair", CHART, "--wait", "--timeout", "120s")
        cls.api.create(AUTHORITIES, {"apiVersion": "certpair.dev/v1", "kind": "CertificateAuthority", "metadata": {"name": "e2e"},
                                     "spec": {"generated": {"commonName": "E2E"}, "allow": [{"namespaces": {"all": True}, "commonNames": ["*"]}]}})

    @classmethod
    def helm(cls, *words, fails=False):
        answer = run(["helm", *words, "--namespace", NAMESPACE])
        assert (answer.returncode != 0) == fails, answer.stdout + answer.stderr
        return answer

    def namespace(self, name):
        self.api.create("/api/v1/namespaces", {"metadata": {"name": name}})
        certificates = Certificates(name)
        self.addCleanup(certificates.close)
        return certificates

    def create(self, namespace, count, first=0):
        for number in range(first, first + count):
            status, answer, _ = self.api("POST", SYSTEMS.format(namespace), small_system(f"s{number}"))
            self.assertEqual(status, 201, answer)

    def ready(self, namespace):
        _, systems, _ = self.api("GET", SYSTEMS.format(namespace))
        return sum(any(c["type"] == "Ready" and c["status"] == "True" for c in item.get("status", {}).get("conditions", []))
                   for item in systems["items"])

    def await_ready(self, namespace, count, seconds=120):
        eventually(lambda: self.ready(namespace) == count, f"not all of {count} systems get ready", seconds)

    def each_once(self, certificates, count):
        eventually(lambda: len(certificates.of) >= count, "the watch does not show every Secret")
        self.assertEqual(len(certificates.of), count)
        self.assertEqual([name for name, seen in certificates.of.items() if len(seen) != 1], [], "issued twice")

    def pods(self):
        """By name, those that are not on their way out."""
        _, pods, _ = self.api("GET", PODS + "?labelSelector=app.kubernetes.io/name%3Dcertpair")
        return {p["metadata"]["name"]: p for p in pods["items"] if "deletionTimestamp" not in p["metadata"]}

    def two_are_ready(self):
        states = [p["status"].get("containerStatuses", [{}])[0].get("ready", False) for p in self.pods().values()]
        return states == [True, True]

    def holder(self):
        status, lease, _ = self.api("GET", LEASE)
        return lease["spec"].get("holderIdentity", "") if status == 200 else ""

    def leader(self):
        """(its identity, its pod)"""
        eventually(lambda: self.holder().split("_")[0] in self.pods(), "nobody leads", 60)
        identity = self.holder()
        return identity, identity.split("_")[0]

    def signal(self, pod, name):
        container = self.pods()[pod]["status"]["containerStatuses"][0]["containerID"].removeprefix("containerd://")
        answer = run(["ctr", "tasks", "kill", "--signal", name, container])
        self.assertEqual(answer.returncode, 0, answer.stderr)

    def seconds_until_another_leads(self, than):
        begin = time.monotonic()
        eventually(lambda: self.holder() not in ("", than), "nobody takes over", 60)
        return time.monotonic() - begin

    def tell(self, text):
        print(f"  measured: {text}", flush=True)

    def leave(self, namespace):
        self.api("DELETE", f"/api/v1/namespaces/{namespace}")
        eventually(self.two_are_ready, "two replicas do not get ready again", 90)

    def test_The_examples_become_ready_in_a_restricted_namespace(self):
        self.assertEqual(run(["kubectl", "apply", "-f", ROOT / "examples"]).returncode, 0)
        answer = run(["kubectl", "-n", "idm", "wait", "--for=condition=Ready", "provisioningsystems", "--all", "--timeout=60s"])
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assertTrue(self.two_are_ready())
        works = [self.metric(pod, "certpair_leader") for pod in self.pods().values()]
        self.assertEqual(sorted(works), ["0", "1"])
        self.leave("idm")

    def metric(self, pod, name):
        connection = http.client.HTTPConnection(pod["status"]["podIP"], 8080, timeout=10)
        self.addCleanup(connection.close)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        return next(line.split()[-1] for line in text.splitlines() if line.startswith(name + " "))

    def test_A_leader_that_is_killed_amid_a_thousand_issuances_leaves_none_out_and_none_twice(self):
        certificates = self.namespace("killed")
        identity, pod = self.leader()
        maker = threading.Thread(target=self.create_apart, args=("killed", 1000))
        begin = time.monotonic()
        maker.start()
        eventually(lambda: len(certificates.of) > 150, "no certificates are made", 60)
        self.signal(pod, "SIGKILL")
        made = len(certificates.of)
        gap = self.seconds_until_another_leads(identity)
        maker.join()
        self.await_ready("killed", 1000)
        self.each_once(certificates, 1000)
        self.tell(f"SIGKILL after {made} of 1000: another leads after {gap:.1f} s, all done after {time.monotonic() - begin:.1f} s")
        self.assertLess(gap, LEASE_SECONDS + 2 + SLACK)
        self.leave("killed")

    def create_apart(self, namespace, count):
        api = Api(KUBECONFIG)
        for number in range(count):
            api("POST", SYSTEMS.format(namespace), small_system(f"s{number}"))
        api.connection.close()

    def test_A_leader_that_is_told_to_leave_hands_over_at_once(self):
        certificates = self.namespace("left")
        identity, pod = self.leader()
        self.create("left", 50)
        self.api("DELETE", f"{PODS}/{pod}")
        gap = self.seconds_until_another_leads(identity)
        self.await_ready("left", 50)
        self.each_once(certificates, 50)
        self.tell(f"SIGTERM: another leads after {gap:.1f} s")
        self.assertLess(gap, 2 + SLACK)
        self.leave("left")

    @takes_long
    def test_A_leader_that_was_frozen_writes_nothing_when_it_wakes(self):
        certificates = self.namespace("frozen")
        identity, pod = self.leader()
        self.create("frozen", 100)
        eventually(lambda: certificates.of, "no certificates are made")
        self.signal(pod, "SIGSTOP")
        try:
            gap = self.seconds_until_another_leads(identity)
            self.await_ready("frozen", 100)
            self.create("frozen", 20, first=100)
            self.await_ready("frozen", 120)
            time.sleep(max(0, 30 - gap))
            writes = certificates.writes
        finally:
            self.signal(pod, "SIGCONT")
        successor = self.holder()
        self.assertNotEqual(successor, identity)
        eventually(lambda: "leading no longer" in self.log(pod), "the woken one does not notice", 60)
        time.sleep(3)
        self.assertEqual(certificates.writes, writes)
        self.assertEqual(self.holder(), successor)
        self.each_once(certificates, 120)
        self.tell(f"SIGSTOP: another leads after {gap:.1f} s")
        self.leave("frozen")

    def log(self, pod):
        return self.api("GET", f"{PODS}/{pod}/log?tailLines=10")[1]

    @takes_long
    def test_An_API_server_that_is_away_is_waited_for(self):
        certificates = self.namespace("away")
        self.create("away", 20)
        self.await_ready("away", 20)
        restarts = {name: pod["status"]["containerStatuses"][0]["restartCount"] for name, pod in self.pods().items()}
        server = run(["pgrep", "-x", "kube-apiserver"]).stdout.split()
        self.assertEqual(len(server), 1)
        os.kill(int(server[0]), signal.SIGSTOP)
        try:
            time.sleep(20)
        finally:
            os.kill(int(server[0]), signal.SIGCONT)
        begin = time.monotonic()
        eventually(lambda: self.answers(), "the API server does not come back", 60)
        self.create("away", 20, first=20)
        self.await_ready("away", 40)
        self.tell(f"API server away for 20 s: new systems are ready {time.monotonic() - begin:.1f} s after its return")
        self.each_once(certificates, 40)
        self.assertEqual({name: pod["status"]["containerStatuses"][0]["restartCount"] for name, pod in self.pods().items()}, restarts)
        self.leave("away")

    def answers(self):
        try:
            return self.api("GET", "/readyz")[0] == 200
        except (OSError, http.client.HTTPException):
            self.api.connection.close()
            return False

    @takes_long
    def test_A_Lease_that_is_deleted_or_stolen_comes_back(self):
        certificates = self.namespace("lease")
        identity, _ = self.leader()
        self.api("DELETE", LEASE)
        eventually(lambda: self.holder() != "", "no Lease comes back", 60)
        self.create("lease", 10)
        self.await_ready("lease", 10)
        self.api.patch(LEASE, {"spec": {"holderIdentity": "thief"}})
        gap = self.seconds_until_another_leads("thief")
        self.create("lease", 10, first=10)
        self.await_ready("lease", 20)
        self.each_once(certificates, 20)
        self.tell(f"Lease stolen: it is back after {gap:.1f} s ({'the same' if self.holder() == identity else 'another'} leads)")
        self.leave("lease")

    @takes_long
    def test_Upgrade_and_rollback_under_load_issue_nothing_twice(self):
        certificates = self.namespace("moved")
        maker = threading.Thread(target=self.create_apart, args=("moved", 400))
        maker.start()
        before = self.revision()
        self.helm("upgrade", "certpair", CHART, "--set", "controller.logLevel=debug", "--wait", "--timeout", "120s")
        self.helm("rollback", "certpair", before, "--wait", "--timeout", "120s")
        maker.join()
        self.await_ready("moved", 400)
        self.each_once(certificates, 400)
        self.leave("moved")

    def test_Only_the_namespaces_that_are_named_are_served(self):
        """With the rights of this mode alone: a Role in each namespace."""
        for name in ("served", "unserved"):
            self.api.create("/api/v1/namespaces", {"metadata": {"name": name}})
        revision = self.revision()
        self.helm("upgrade", "certpair", CHART, "--set", "watchNamespaces={served}", "--wait", "--timeout", "120s")
        for name in ("unserved", "served"):
            self.create(name, 5)
        self.await_ready("served", 5)
        self.assertEqual(self.ready("unserved"), 0)
        self.helm("rollback", "certpair", revision, "--wait", "--timeout", "120s")
        self.await_ready("unserved", 5)
        for name in ("served", "unserved"):
            self.leave(name)

    def test_A_mail_Secret_that_is_missing_holds_up_mail_and_nothing_else(self):
        revision = self.revision()
        self.helm("upgrade", "certpair", CHART, "--set", "smtp.server=mail.example.com:587,smtp.from=certpair@example.com,clusterName=e2e",
                  "--set", "smtp.credentialsSecret.name=missing,smtp.caSecret.name=missing", "--wait", "--timeout", "120s")
        certificates = self.namespace("unmailed")
        self.create("unmailed", 3)
        self.await_ready("unmailed", 3)
        self.each_once(certificates, 3)
        self.helm("rollback", "certpair", revision, "--wait", "--timeout", "120s")
        self.leave("unmailed")

    def revision(self):
        return json.loads(self.helm("history", "certpair", "-o", "json").stdout)[-1]["revision"]

    def test_Helms_test_finds_every_replica_ready(self):
        """Its pod, made by hand: this cluster has no DNS, so the Service's name has to stand in the pod's hosts."""
        pod = next(d for d in yaml.safe_load_all(self.helm("get", "hooks", "certpair").stdout) if d and d["kind"] == "Pod")
        eventually(self.two_are_ready, "two replicas do not get ready", 60)
        name = f"certpair-controller.{NAMESPACE}.svc"
        pod["spec"]["hostAliases"] = [{"ip": p["status"]["podIP"], "hostnames": [name]} for p in self.pods().values()]
        status, answer, _ = self.api("POST", PODS, pod)
        self.assertEqual(status, 201, answer)
        path = f"{PODS}/{pod['metadata']['name']}"
        eventually(lambda: self.api("GET", path)[1]["status"]["phase"] in ("Succeeded", "Failed"), "it does not end", 60)
        self.assertEqual(self.api("GET", path)[1]["status"]["phase"], "Succeeded", self.api("GET", path + "/log")[1])
        self.api("DELETE", path)

    @takes_long
    def test_An_image_that_is_not_there_takes_nothing_away(self):
        before = set(self.pods())
        revision = self.revision()
        answer = self.helm("upgrade", "certpair", CHART, "--set", "image.tag=missing", "--wait", "--timeout", "8s", fails=True)
        self.assertIn("certpair-controller", answer.stderr)
        self.assertTrue(before <= set(self.pods()), "an old replica is gone")
        certificates = self.namespace("image")
        self.create("image", 5)
        self.await_ready("image", 5)
        self.each_once(certificates, 5)
        self.helm("rollback", "certpair", revision, "--wait", "--timeout", "120s")
        self.leave("image")

    def test_What_outlives_an_uninstall_is_taken_up_again(self):
        certificates = self.namespace("stay")
        self.create("stay", 10)
        self.await_ready("stay", 10)
        self.helm("uninstall", "certpair", "--wait")
        eventually(lambda: not self.pods(), "pods stay", 60)
        self.assertEqual(self.ready("stay"), 10)
        _, secret, _ = self.api("GET", SECRETS.format("stay") + "/s0-outbound")
        self.assertTrue(self.openssl_accepts(secret))
        self.helm("install", "certpair", CHART, "--wait", "--timeout", "120s")
        self.create("stay", 1, first=10)
        self.await_ready("stay", 11)
        self.each_once(certificates, 11)
        self.leave("stay")

    def openssl_accepts(self, secret):
        folder = pathlib.Path(os.environ.get("TMPDIR", "/tmp")) / f"e2e-{os.getpid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        try:
            for key in ("tls.crt", "ca.crt"):
                (folder / key).write_bytes(base64.b64decode(secret["data"][key]))
            return subprocess.run(["openssl", "verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", folder / "ca.crt", folder / "tls.crt"],
                                  capture_output=True, check=False).returncode == 0
        finally:
            for key in ("tls.crt", "ca.crt"):
                (folder / key).unlink(missing_ok=True)
            folder.rmdir()


if __name__ == "__main__":
    unittest.main()
