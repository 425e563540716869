"""The image that scripts/image writes: small, the same each time, and with nothing in it but what runs."""
import gzip
import hashlib
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
SMALL = "/usr/bin/sleep"  # a program that is packed in a moment, where any will do
MIB = 2**20


def run(*command, **more):
    answer = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, timeout=300, **more)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def write_image(output, *options, program=PROGRAM, root=ROOT, **more):
    run(root / "scripts/image", "--program", program, "--name", "localhost/certpair:test", "--output", output, *options, **more)
    return pathlib.Path(output).read_bytes()


def config_of(archive):
    """The image's configuration, by way of index and manifest."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as layout:
        def blob(descriptor):
            return json.loads(layout.extractfile("blobs/" + descriptor["digest"].replace(":", "/")).read())
        return blob(blob(json.loads(layout.extractfile("index.json").read())["manifests"][0])["config"])["config"]


def a_repository(folder):
    """One commit of what scripts/image reads, in a new repository."""
    shutil.copytree(ROOT / "scripts", folder / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "CMakeLists.txt", folder)
    for words in (("init", "-q"), ("add", "."), ("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "all")):
        run("git", "-C", folder, *words)
    return folder


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

    def test_The_same_commit_and_program_give_the_same_bytes_wherever_and_whenever(self):
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch)
            first = a_repository(folder / "first")
            program = folder / "program"
            shutil.copy(PROGRAM, program)
            os.utime(program, (1, 1))
            program.chmod(0o777)
            environment = {**os.environ, "TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONHASHSEED": "7", "SOURCE_DATE_EPOCH": "12345"}
            run("git", "clone", "-q", first, folder / "a second folder", umask=0o077)
            one = write_image(folder / "one.tar", root=first, umask=0o002)
            two = write_image(folder / "two.tar", program=program, root=folder / "a second folder", umask=0o077, env=environment)
            self.assertEqual(hashlib.sha256(one).hexdigest(), hashlib.sha256(two).hexdigest())
            revision = run("git", "-C", first, "rev-parse", "HEAD").strip()
            self.assertEqual(config_of(one)["Labels"]["org.opencontainers.image.revision"], revision)

    def test_A_change_that_is_not_committed_is_told(self):
        with tempfile.TemporaryDirectory() as scratch:
            root = a_repository(pathlib.Path(scratch) / "root")
            with (root / "CMakeLists.txt").open("a") as file:
                file.write("# changed\n")
            labels = config_of(write_image(f"{scratch}/image.tar", program=SMALL, root=root))["Labels"]
        self.assertTrue(labels["org.opencontainers.image.revision"].endswith("-dirty"), labels)

    def test_The_folder_for_the_Dockerfile_is_the_same_too_and_anybody_can_read_it(self):
        def listing(folder, umask):
            run(ROOT / "scripts/image", "--program", PROGRAM, "--folder", folder, umask=umask)
            return {str(path.relative_to(folder)): (path.stat().st_mode, path.stat().st_mtime, path.is_file() and path.read_bytes())
                    for path in (folder, *folder.rglob("*"))}
        with tempfile.TemporaryDirectory() as scratch:
            one = listing(pathlib.Path(scratch) / "one", 0o022)
            self.assertEqual(one, listing(pathlib.Path(scratch) / "two", 0o077))
        self.assertEqual({path for path, (mode, _, content) in one.items() if content is not False}, {e.name for e in self.layer if e.isfile()})
        for entry in self.layer:
            self.assertEqual((one[entry.name][0] & 0o7777, one[entry.name][1]), (entry.mode, entry.mtime), entry.name)

    def test_The_program_does_not_know_where_it_was_built(self):
        program = self.layer.extractfile("usr/bin/certpair-controller").read()
        self.assertEqual(program.find(str(ROOT).encode() + b"/src"), -1)  # not assertNotIn: it would print the program

    def test_Only_what_runs_is_in_it(self):
        library = r"(usr/)?lib(64)?/([a-z0-9_-]+/)?[A-Za-z0-9+._-]+\.so(\.[0-9.]+)?"
        allowed = re.compile(rf"usr/bin/certpair-controller|{library}|etc/(passwd|group|nsswitch\.conf)|etc/ssl/certs/ca-certificates\.crt")
        for entry in self.layer:
            if entry.isfile():
                self.assertRegex(entry.name, rf"^({allowed.pattern})$")
            self.assertTrue(entry.isfile() or entry.isdir(), entry.name)
            self.assertEqual((entry.uid, entry.gid), (0, 0), entry.name)
            self.assertEqual(entry.mode & 0o7022, 0, f"{entry.name}: setuid, or others may write it")

    def test_There_is_no_shell_and_no_other_program(self):
        programs = [entry.name for entry in self.layer if entry.isfile() and entry.mode & 0o111 and ".so" not in entry.name]
        self.assertEqual(programs, ["usr/bin/certpair-controller"])

    def test_It_runs_as_nobody_and_says_what_it_is(self):
        config = self.config["config"]
        self.assertEqual(config["User"], "65532:65532")
        self.assertEqual(config["Entrypoint"], ["/usr/bin/certpair-controller"])
        version = re.search(r"project\(certpair VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
        self.assertEqual(config["Labels"]["org.opencontainers.image.version"], version)
        for label in ("title", "description", "revision", "created"):
            self.assertTrue(config["Labels"][f"org.opencontainers.image.{label}"], label)
        self.assertRegex(config["Labels"]["org.opencontainers.image.created"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(self.manifest["annotations"], config["Labels"])

    def test_Another_version_is_a_label_and_a_tag_of_its_own(self):
        with tempfile.TemporaryDirectory() as scratch:
            run(ROOT / "scripts/image", "--program", SMALL, "--version", "7.8.9", "--output", f"{scratch}/image.tar")
            archive = pathlib.Path(f"{scratch}/image.tar").read_bytes()
        self.assertEqual(config_of(archive)["Labels"], {**self.config["config"]["Labels"], "org.opencontainers.image.version": "7.8.9"})
        self.assertIn(b"localhost/certpair:7.8.9", archive)

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

    def test_The_Dockerfile_says_the_same(self):
        text = (ROOT / "Dockerfile").read_text()
        self.assertIn(f"USER {self.config['config']['User']}", text)
        self.assertIn(f"WORKDIR {self.config['config']['WorkingDir']}", text)
        self.assertIn(f"ENV {self.config['config']['Env'][0]}", text)
        self.assertIn("ENTRYPOINT " + json.dumps(self.config["config"]["Entrypoint"]), text)
        self.assertIn("scripts/image --folder", text)
        labels = dict(re.findall(r'(org\.opencontainers\.image\.[a-z]+)="([^"]*)"', text))
        self.assertEqual(set(labels), set(self.config["config"]["Labels"]))
        for name in ("title", "description", "version"):
            self.assertEqual(labels["org.opencontainers.image." + name], self.config["config"]["Labels"]["org.opencontainers.image." + name])


if __name__ == "__main__":
    unittest.main()
