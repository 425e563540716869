"""What the chart's tests share: helm, a control plane, and its API as any user.

One control plane for all, started when the first test asks for it and ended with the program. Where there is none the
tests are skipped with the reason; with CI in the environment they fail.
"""
import atexit
import base64
import functools
import http.client
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import tempfile
import time
import unittest
import urllib.parse

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "certpair"
NAMESPACE = "certpair-system"
OPERATOR = f"system:serviceaccount:{NAMESPACE}:certpair-controller"
COLLECTOR = "system:serviceaccount:kube-system:generic-garbage-collector"
NAMESPACE_CONTROLLER = "system:serviceaccount:kube-system:namespace-controller"


def run(command, **more):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=300, check=False, **more)


def cannot(reason):
    if os.environ.get("CI"):
        raise AssertionError(reason)
    raise unittest.SkipTest(reason)


@functools.cache
def helm_program():
    answer = run([ROOT / "scripts/control-plane", "helm", "--no-build"])
    return answer.stdout.strip() if answer.returncode == 0 else cannot(f"no helm: {answer.stderr.strip()}")


def optional_program(name, what):
    """Its path; where scripts/control-plane has it not, `what` is skipped."""
    answer = run([ROOT / "scripts/control-plane", name, "--no-build"])
    if answer.returncode != 0:
        raise unittest.SkipTest(f"{what}: {answer.stderr.strip()}")
    return answer.stdout.strip()


def helm(*words, kubeconfig="/dev/null", program=None):
    """Its result; what it says of the link files/crds is left out."""
    answer = run([program or helm_program(), *words], env={**os.environ, "KUBECONFIG": str(kubeconfig), "HELM_CACHE_HOME": "/dev/null/none"})
    answer.stderr = "\n".join(line for line in answer.stderr.splitlines() if "found symbolic link" not in line)
    return answer


def render(values=None, *words, chart=CHART):
    """The rendered objects, without a cluster."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values or {}, file)
        file.flush()
        answer = helm("template", "certpair", chart, "--namespace", NAMESPACE, "--values", file.name, *words)
    if answer.returncode != 0:
        raise AssertionError(answer.stderr)
    return [document for document in yaml.safe_load_all(answer.stdout) if document]


def only(objects, kind, name=None):
    found = [o for o in objects if o["kind"] == kind and (name is None or o["metadata"]["name"] == name)]
    assert len(found) == 1, f"{len(found)} of {kind} {name or ''}"
    return found[0]


class Api:
    """The API server, as an administrator who may speak for others, or with a token. Not thread-safe.

    Of a kubeconfig the current context, whose user has a token or a client certificate.
    """

    def __init__(self, kubeconfig, token=None):
        config = yaml.safe_load(pathlib.Path(kubeconfig).read_text())

        def named(kind, name):
            return next(entry[kind] for entry in config[kind + "s"] if entry["name"] == name)
        context = named("context", config["current-context"])
        cluster, user = named("cluster", context["cluster"]), named("user", context["user"])
        address = urllib.parse.urlsplit(cluster["server"])
        if "certificate-authority-data" in cluster:
            trust = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        else:
            trust = ssl.create_default_context(cafile=cluster["certificate-authority"])
        self.token = token or user.get("token")
        if not self.token:
            self.show_certificate(trust, user)
        self.connection = http.client.HTTPSConnection(address.hostname, address.port, context=trust, timeout=30)
        self.used = time.monotonic()

    def credentials(self):
        """As headers; none where a certificate was shown."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    @staticmethod
    def show_certificate(trust, user):
        """Python reads keys from files only: those in the kubeconfig's text are in one for a moment."""
        if "client-certificate" in user:
            trust.load_cert_chain(user["client-certificate"], user["client-key"])
        elif "client-certificate-data" in user:
            with tempfile.NamedTemporaryFile() as file:
                for key in ("client-certificate-data", "client-key-data"):
                    file.write(base64.b64decode(user[key]))
                file.flush()
                trust.load_cert_chain(file.name)
        else:
            raise AssertionError("the kubeconfig's user has neither a token nor a client certificate")

    def __call__(self, method, path, body=None, user=None, groups=(), kind="application/json", accept="application/json"):
        """(status, answer, warnings)"""
        if time.monotonic() - self.used > 30:
            self.connection.close()  # the API server does so after 90 seconds without a request; the next request opens it again
        headers = {"Content-Type": kind, "Accept": accept, **self.credentials()}
        self.connection.putrequest(method, path)
        for name, value in headers.items():
            self.connection.putheader(name, value)
        if user:
            self.connection.putheader("Impersonate-User", user)
            for group in (*groups, "system:authenticated"):
                self.connection.putheader("Impersonate-Group", group)
        data = b"" if body is None else json.dumps(body).encode()
        self.connection.putheader("Content-Length", str(len(data)))
        self.connection.endheaders(data)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        self.used = time.monotonic()
        warnings = answer.headers.get_all("Warning") or []
        return answer.status, json.loads(text) if "json" in answer.headers.get("Content-Type", "") else text, warnings

    def patch(self, path, body, **more):
        return self("PATCH", path, body, kind="application/merge-patch+json", **more)

    def create(self, path, body):
        status, answer, _ = self("POST", path, body)
        assert status in (200, 201, 409), answer
        return answer


class Cluster:
    """A control plane on loopback. Its controllers speak as the administrator, not with accounts of their own as those of
    real clusters do: what policies let the collectors do is asked in their names. tests/e2e has them as they are."""

    def __init__(self, *options):
        programs = run([ROOT / "scripts/control-plane", "path", "--no-build"])
        if programs.returncode != 0:
            cannot(f"no control plane: {programs.stderr.strip()}")
        helm_program()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="certpair-chart-"))
        self.api = None
        atexit.register(self.down)
        up = run([ROOT / "scripts/control-plane", "up", "--no-build", "--dir", self.folder, *options])
        if up.returncode != 0:
            cannot(f"no control plane: {up.stderr.strip()}")
        self.kubeconfig = self.folder / "kubeconfig"
        self.kubectl_program = pathlib.Path(programs.stdout.strip()) / "kubectl"
        self.api = Api(self.kubeconfig)
        for name, labels in ((NAMESPACE, {"pod-security.kubernetes.io/enforce": "restricted"}), ("idm", {}), ("other", {})):
            self.api.create("/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})

    def down(self):
        if self.api:
            self.api.connection.close()
        run([ROOT / "scripts/control-plane", "down", "--quiet", "--dir", self.folder])
        shutil.rmtree(self.folder, ignore_errors=True)

    def helm(self, *words):
        return helm(*words, kubeconfig=self.kubeconfig)

    def kubectl(self, *words, **more):
        cache = self.folder / "kubectl-cache"
        return run([self.kubectl_program, "--kubeconfig", self.kubeconfig, "--cache-dir", cache, *words], **more)


@functools.cache
def cluster():
    return Cluster()


def eventually(holds, otherwise, seconds=30):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.1)


class ReleaseTest(unittest.TestCase):
    """Tests on a release of the chart, with `values`. There are no pods: nothing waits for them."""

    values = {}

    @classmethod
    def setUpClass(cls):
        cls.cluster = cluster()
        cls.api = cls.cluster.api
        cls.upgrade(cls.values)

    @classmethod
    def tearDownClass(cls):
        cls.cluster.helm("uninstall", "certpair", "--namespace", NAMESPACE, "--ignore-not-found")

    @classmethod
    def upgrade(cls, values, chart=CHART):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump(values, file)
            file.flush()
            answer = cls.cluster.helm("upgrade", "--install", "certpair", chart, "--namespace", NAMESPACE, "--values", file.name)
        assert answer.returncode == 0, answer.stderr
        for path in (AUTHORITIES, SYSTEMS.format("idm"), OPERATIONS.format("idm")):
            eventually(lambda path=path: cls.api("GET", path)[0] == 200, f"{path} is not served")
        return answer.stdout

    def operator_api(self):
        status, answer, _ = self.api("POST", f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/certpair-controller/token",
                                     {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "spec": {"expirationSeconds": 3600}})
        self.assertEqual(status, 201, answer)
        api = Api(self.cluster.kubeconfig, answer["status"]["token"])
        self.addCleanup(api.connection.close)
        return api


SYSTEMS = "/apis/certpair.dev/v1/namespaces/{}/provisioningsystems"
OPERATIONS = "/apis/certpair.dev/v1/namespaces/{}/certificateoperations"
AUTHORITIES = "/apis/certpair.dev/v1/certificateauthorities"
SECRETS = "/api/v1/namespaces/{}/secrets"


def system(name, **spec):
    return {"apiVersion": "certpair.dev/v1", "kind": "ProvisioningSystem", "metadata": {"name": name},
            "spec": {"type": "Target", "authorityRef": {"name": "demo-ca"}, "certificate": {"subject": {"commonName": name}}, **spec}}


def pair_secret(name):
    """Metadata as the operator writes it; no key."""
    return {"metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": "certpair", "certpair.dev/system": name},
                         "annotations": {"certpair.dev/system-uid": "u"}, "finalizers": []},
            "type": "kubernetes.io/tls", "data": {"tls.crt": "YQ==", "tls.key": ""}}
