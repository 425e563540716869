"""tests/e2e/run on a cluster elsewhere: what it refuses before it touches anything, and how it shows who it is."""
import base64
import http.server
import os
import pathlib
import ssl
import tempfile
import threading
import unittest

import yaml

from chart import NAMESPACE, ROOT, Api, cluster, run

IMAGE = "registry.example.com/certpair:0.1.0"


def attempt(kubeconfig, image):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CERTPAIR_E2E")}
    environment |= {"CERTPAIR_E2E_KUBECONFIG": str(kubeconfig), **({"CERTPAIR_E2E_IMAGE": image} if image else {})}
    return run([ROOT / "tests/e2e/run", "/bin/true"], env=environment)


def kubeconfig(folder, server, authority, user):
    path = pathlib.Path(folder) / "kubeconfig"
    path.write_text(yaml.safe_dump({
        "apiVersion": "v1", "kind": "Config", "current-context": "b",
        "clusters": [{"name": "a", "cluster": {"server": "https://192.0.2.1"}},
                     {"name": "here", "cluster": {"server": server, "certificate-authority-data": base64.b64encode(authority).decode()}}],
        "users": [{"name": "me", "user": user}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "nobody"}}, {"name": "b", "context": {"cluster": "here", "user": "me"}}]}))
    return path


class RefusedTest(unittest.TestCase):
    def refused(self, wanted, *arguments):
        answer = attempt(*arguments)
        self.assertEqual(answer.returncode, 1, answer.stdout)
        self.assertIn(wanted, answer.stderr)

    def test_An_image_that_the_cluster_cannot_pull_is_refused(self):
        self.refused("CERTPAIR_E2E_IMAGE is missing: push what scripts/image writes", "/dev/null", None)
        for image in ("certpair", "a b:c", "registry.example.com/certpair@sha256:12"):
            self.refused(f"neither REPOSITORY:TAG nor REPOSITORY@sha256:…: {image}", "/dev/null", image)

    def test_An_unreadable_kubeconfig_and_a_dead_cluster_are_refused(self):
        self.refused("CERTPAIR_E2E_KUBECONFIG cannot be read: /no/such", "/no/such", IMAGE)
        with tempfile.TemporaryDirectory() as folder:
            nobody = kubeconfig(folder, "https://127.0.0.1:1", b"", {"token": "x"})
            self.refused("does not answer", nobody, IMAGE)

    def test_A_cluster_that_has_certpair_is_refused(self):
        """This control plane has its namespaces; they are still there afterwards."""
        self.refused("namespace/certpair-system is there already", cluster().kubeconfig, IMAGE)
        self.assertEqual(cluster().api("GET", "/api/v1/namespaces/" + NAMESPACE)[0], 200)


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name = dict(part[0] for part in self.connection.getpeercert()["subject"])["commonName"].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(name)))
        self.end_headers()
        self.wfile.write(name)

    def log_message(self, *_):
        pass


class CertificateTest(unittest.TestCase):
    def test_A_client_certificate_is_read_from_text_and_from_files(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder)
            made = run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=both",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path / "key", "-out", path / "crt"])
            self.assertEqual(made.returncode, 0, made.stderr)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(path / "crt", path / "key")
            context.load_verify_locations(path / "crt")
            context.verify_mode = ssl.CERT_REQUIRED
            server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            self.addCleanup(server.server_close)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self.addCleanup(server.shutdown)
            texts = {name: base64.b64encode((path / file).read_bytes()).decode()
                     for name, file in (("client-certificate-data", "crt"), ("client-key-data", "key"))}
            for user in (texts, {"client-certificate": str(path / "crt"), "client-key": str(path / "key")}):
                api = Api(kubeconfig(folder, f"https://127.0.0.1:{server.server_port}", (path / "crt").read_bytes(), user))
                self.assertEqual(api("GET", "/")[:2], (200, "both"))
                api.connection.close()
            with self.assertRaisesRegex(AssertionError, "neither a token nor a client certificate"):
                Api(kubeconfig(folder, "https://127.0.0.1:1", (path / "crt").read_bytes(), {"exec": {}}))


if __name__ == "__main__":
    unittest.main()
