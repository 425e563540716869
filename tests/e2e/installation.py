"""What the tests on a cluster share: an installation of the chart, and what they look at.

They run inside the one-node cluster's network, or on a cluster elsewhere (tests/e2e/run has started them). Each test leaves
an installation that works, with no system in it.
"""
import collections
import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import socket
import tempfile
import threading
import time
import unittest

from chart import AUTHORITIES, CHART, NAMESPACE, SECRETS, SYSTEMS, Api, eventually, run

PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/certpair-controller"
KUBECONFIG = os.environ.get("KUBECONFIG", "")
ON_NODE = "CERTPAIR_E2E_NODE" in os.environ  # we are root on the one node, and containerd answers
IMAGE = os.environ.get("CERTPAIR_E2E_IMAGE", "")  # where it is not the one that the chart names
LEASE_SECONDS = 15  # controller.leaderElection.leaseDuration
SLACK = 5           # what a busy machine adds

# Minutes of waiting, for Leases to run out and pods to be replaced, which is why .ci/run leaves these out; scripts/test runs them.
takes_long = unittest.skipIf(os.environ.get("CERTPAIR_E2E_SHORT"), "e2e: tests that wait for minutes are left out with CERTPAIR_E2E_SHORT")
needs_the_node = unittest.skipUnless(ON_NODE, "e2e: it signals processes of the node, which takes root there: CERTPAIR_E2E_KUBECONFIG names a cluster elsewhere")


def image_values(image):
    """helm's arguments for an image REPOSITORY:TAG or REPOSITORY@DIGEST."""
    if "@" in image:
        repository, digest = image.split("@", 1)
        return ["--set", f"image.repository={repository},image.digest={digest}"]
    repository, tag = image.rsplit(":", 1)
    return ["--set-string", f"image.repository={repository},image.tag={tag}"]


def small_system(name):
    """P-256: a thousand keys in a moment."""
    return {"apiVersion": "certpair.dev/v1", "kind": "ProvisioningSystem", "metadata": {"name": name},
            "spec": {"type": "Target", "authorityRef": {"name": "e2e"},
                     "certificate": {"subject": {"commonName": name}, "key": {"algorithm": "ECDSA", "size": 256}}}}


def warned_system(name):
    """One whose subscriber is told of its end two seconds after it is ready."""
    system = small_system(name)
    system["spec"]["certificate"]["validity"] = "1h"
    system["spec"]["notifications"] = {"warnBefore": ["59m58s"], "subscribers": [{"email": "team@example.com"}]}
    return system


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
            connection.request("GET", self.path + self.version, headers=self.api.credentials())
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


class Load:
    """Systems that are made one after the other, a few a second, until it is ended."""

    def __init__(self, namespace, a_second=20):
        self.count = 0
        self.refused = []
        self.namespace = namespace
        self.pause = 1 / a_second
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.make, daemon=True)
        self.thread.start()

    def make(self):
        api = Api(KUBECONFIG)
        while not self.stopped.wait(self.pause):
            status, answer, _ = api("POST", SYSTEMS.format(self.namespace), small_system(f"s{self.count}"))
            if status == 201:
                self.count += 1
            else:
                self.refused.append(answer)
        api.connection.close()

    def end(self):
        self.stopped.set()
        self.thread.join()


class InstalledTest(unittest.TestCase):
    """Tests on an installation of this chart in a namespace that enforces Pod Security `restricted`."""

    @classmethod
    def setUpClass(cls):
        if not KUBECONFIG or run(["kubectl", "get", "nodes"]).returncode != 0:
            raise unittest.SkipTest("it is not in a cluster: tests/e2e/run starts one")
        cls.api = Api(KUBECONFIG)
        cls.addClassCleanup(cls.api.connection.close)
        cls.api.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}})
        cls.helm("upgrade", "--install", "certpair", CHART, "--wait", "--timeout", "120s")
        cls.api.create(AUTHORITIES, {"apiVersion": "certpair.dev/v1", "kind": "CertificateAuthority", "metadata": {"name": "e2e"},
                                     "spec": {"generated": {"commonName": "E2E"}, "allow": [{"namespaces": {"all": True}, "commonNames": ["*"]}]}})

    @classmethod
    def helm(cls, *words, fails=False):
        if IMAGE and words[0] in ("install", "upgrade"):
            words = (words[0], *image_values(IMAGE), *words[1:])
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

    def await_reason(self, path, reason, kind="Ready"):
        """The condition's message then."""
        def condition():
            return next((c for c in self.api("GET", path)[1].get("status", {}).get("conditions", []) if c["type"] == kind), {})
        eventually(lambda: condition().get("reason") == reason, f"{path}: {kind} does not become {reason}", 60)
        return condition()["message"]

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

    def seconds_until_another_leads(self, than):
        begin = time.monotonic()
        eventually(lambda: self.holder() not in ("", than), "nobody takes over", 60)
        return time.monotonic() - begin

    def tell(self, text):
        print(f"  measured: {text}", flush=True)

    def leave(self, namespace):
        """With all that is in it: the namespace controller and the collector get past the policies."""
        path = f"/api/v1/namespaces/{namespace}"
        self.api("DELETE", path)
        eventually(lambda: self.api("GET", path)[0] == 404, f"namespace {namespace} does not go", 180)
        eventually(self.two_are_ready, "two replicas do not get ready again", 90)

    def metric(self, pod, name):
        """By way of the API server: from elsewhere no pod's address answers."""
        status, text, _ = self.api("GET", f"{PODS}/{pod['metadata']['name']}:8080/proxy/metrics")
        self.assertEqual(status, 200, text)
        return next(line.split()[-1] for line in text.splitlines() if line.startswith(name + " "))

    def revision(self):
        return json.loads(self.helm("history", "certpair", "-o", "json").stdout)[-1]["revision"]

    def create_apart(self, namespace, count):
        api = Api(KUBECONFIG)
        for number in range(count):
            api("POST", SYSTEMS.format(namespace), small_system(f"s{number}"))
        api.connection.close()
