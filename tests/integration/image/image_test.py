"""The image that scripts/image writes: small, the same each time, and with nothing in it but what runs."""
import gzip
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAM = os.environ.get("CERTPAIR_PROGRAM", str(ROOT / "build/dev/bin/certpair-controller"))
MIB = 2**20


def write_image(output, program=PROGRAM, **environment):
    answer = subprocess.run([ROOT / "scripts/image", "--program", program, "--name", "localhost/certpair:test", "--output", output],
                            capture_output=True, text=True, check=False, timeout=300, env={**os.environ, **environment})
    assert answer.returncode == 0, answer.stderr
    return pathlib.Path(output).read_bytes()


class ImageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.bytes = write_image(f"{cls.folder.name}/image.tar")
        cls.archive = tarfile.open(fileobj=io.BytesIO(cls.bytes))
        cls.addClassCleanup(cls.archive.close)
        cls.index = json.loads(cls.read("index.json"))
        cls.manifest = json.loads(cls.blob(cls.index["manifests"][0]))
        cls.config = json.loads(cls.blob(cls.manifest["config"]))
        cls.layer = tarfile.open(fileobj=io.BytesIO(gzip.decompress(cls.blob(cls.manifest["layers"][0]))))
        cls.addClassCleanup(cls.layer.close)

    @classmethod
    def read(cls, name):
        return cls.archive.extractfile(name).read()

    @classmethod
    def blob(cls, descriptor):
        content = cls.read("blobs/" + descriptor["digest"].replace(":", "/"))
        assert len(content) == descriptor["size"]
        return content

    def test_It_is_under_30_MiB(self):
        self.assertLess(len(self.bytes), 30 * MIB)

    def test_The_same_program_gives_the_same_bytes_wherever_and_whenever(self):
        with tempfile.TemporaryDirectory() as elsewhere:
            copy = shutil.copy(PROGRAM, elsewhere + "/program")
            os.utime(copy, (1, 1))
            again = write_image(elsewhere + "/again.tar", copy, TZ="Asia/Kathmandu", LC_ALL="C", PYTHONHASHSEED="7")
        self.assertEqual(self.bytes, again)

    def test_The_program_does_not_know_where_it_was_built(self):
        program = self.layer.extractfile("usr/bin/certpair-controller").read()
        self.assertNotIn(str(ROOT).encode() + b"/src", program)

    def test_Only_what_runs_is_in_it(self):
        library = r"(usr/)?lib(64)?/([a-z0-9_-]+/)?[A-Za-z0-9+._-]+\.so(\.[0-9.]+)?"
        allowed = re.compile(rf"usr/bin/certpair-controller|{library}|etc/(passwd|group|nsswitch\.conf)|etc/ssl/certs/ca-certificates\.crt")
        for entry in self.layer:
            if entry.isfile():
                self.assertRegex(entry.name, rf"^({allowed.pattern})$")
            self.assertTrue(entry.isfile() or entry.isdir(), entry.name)
            self.assertEqual((entry.uid, entry.gid), (0, 0), entry.name)
            self.assertEqual(entry.mode & 0o7022, 0, f"{entry.name}: setuid, or others may write it")

    def test_It_runs_as_nobody_and_says_what_it_is(self):
        config = self.config["config"]
        self.assertEqual(config["User"], "65532:65532")
        self.assertEqual(config["Entrypoint"], ["/usr/bin/certpair-controller"])
        version = re.search(r"project\(certpair VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
        self.assertEqual(config["Labels"]["org.opencontainers.image.version"], version)
        for label in ("title", "description", "revision", "created"):
            self.assertIn(f"org.opencontainers.image.{label}", config["Labels"])

    def test_The_program_finds_all_that_it_needs_in_there(self):
        with tempfile.TemporaryDirectory() as root:
            self.layer.extractall(root, filter="data") if hasattr(tarfile, "data_filter") else self.layer.extractall(root)
            become_root = [] if os.geteuid() == 0 else ["unshare", "--map-root-user"]
            if become_root and subprocess.run([*become_root, "true"], check=False, capture_output=True).returncode != 0:
                self.skipTest("changing the root folder needs root or user namespaces")
            answer = subprocess.run([*become_root, "chroot", root, "/usr/bin/certpair-controller", "--version"], check=False,
                                    capture_output=True, text=True, timeout=60)
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assertIn("certpair-controller", answer.stdout)

    def test_The_Dockerfile_is_of_the_same_user_and_program(self):
        text = (ROOT / "Dockerfile").read_text()
        self.assertIn("USER 65532:65532", text)
        self.assertIn('ENTRYPOINT ["/usr/bin/certpair-controller"]', text)
        self.assertIn("scripts/image --folder", text)


if __name__ == "__main__":
    unittest.main()
