"""Mail out of an installed chart: its pods reach the server, with the password and the CA of the Secrets that the values name."""
import json
import pathlib
import subprocess
import tempfile

from chart import CHART, NAMESPACE, ROOT, SECRETS, SYSTEMS, eventually, run
from installation import InstalledTest, needs_the_node, warned_system

PYTHON = "/usr/bin/python3"  # Debian's, which Debian's python3-aiosmtpd is for


class MailServer:
    """On an address of the node, with a certificate for it of a CA of its own; ends with the test."""

    def __init__(self, test, address):
        folder = tempfile.TemporaryDirectory()
        test.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.address = address
        self.certify()
        (self.folder / "behaviour").write_text(json.dumps({"user": "certpair", "password": "a word: of two"}))
        process = subprocess.Popen([PYTHON, ROOT / "tests/support/smtp_server.py", self.folder, "--address", address], stdin=subprocess.PIPE)
        test.addCleanup(process.wait, 10)
        test.addCleanup(process.stdin.close)
        eventually((self.folder / "port").exists, "the mail server does not listen")
        self.port = (self.folder / "port").read_text()

    def certify(self):
        openssl = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
        ca, server = self.folder / "ca", self.folder / "server"
        for words in ((*openssl, "-subj", "/CN=mail CA", "-keyout", f"{ca}.key", "-out", f"{ca}.crt"),
                      (*openssl, "-subj", "/CN=mail", "-addext", f"subjectAltName=IP:{self.address}", "-addext", "basicConstraints=critical,CA:FALSE",
                       "-CA", f"{ca}.crt", "-CAkey", f"{ca}.key", "-keyout", f"{server}.key", "-out", f"{server}.crt")):
            answer = run(words)
            assert answer.returncode == 0, answer.stderr

    def mails(self):
        return [json.loads(path.read_text()) for path in sorted((self.folder / "mails").glob("*.json"))]


@needs_the_node
class MailTest(InstalledTest):
    def test_A_warning_reaches_the_server_with_the_password_and_the_CA_of_the_Secrets_that_the_values_name(self):
        node = self.api("GET", "/api/v1/nodes")[1]["items"][0]
        server = MailServer(self, next(a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP"))
        self.keep("mail-login", {"line": "certpair:a word: of two\n"})
        self.keep("mail-ca", {"mail.pem": (server.folder / "ca.crt").read_text()})
        revision = self.revision()
        self.helm("upgrade", "certpair", CHART, "--set", f"smtp.server={server.address}:{server.port},smtp.from=certpair@example.com",
                  "--set", "smtp.credentialsSecret.name=mail-login,smtp.credentialsSecret.key=line,smtp.caSecret.name=mail-ca,smtp.caSecret.key=mail\\.pem",
                  "--wait", "--timeout", "120s")
        self.namespace("mailed")
        self.api.create(SYSTEMS.format("mailed"), warned_system("warned"))
        eventually(server.mails, "no mail arrives", 60)
        self.await_reason(SYSTEMS.format("mailed") + "/warned", "Delivered", "NotificationsDelivered")
        mail, = server.mails()
        self.assertEqual((mail["to"], mail["tls"], mail["user"], mail["defects"]), (["team@example.com"], True, "certpair", []))
        self.helm("rollback", "certpair", revision, "--wait", "--timeout", "120s")
        self.leave("mailed")

    def keep(self, name, data):
        path = SECRETS.format(NAMESPACE)
        self.api.create(path, {"metadata": {"name": name}, "stringData": data})
        self.addCleanup(self.api, "DELETE", f"{path}/{name}")
