#!/usr/bin/env python3
"""Puts programs and what they need into an image: an OCI archive (image-spec 1.1: image-layout), or a folder.

    oci.py --archive OUT.tar --name NAME:TAG --entrypoint COMMAND [--label KEY=VALUE]... [--epoch SECONDS] FILE=PATH...
    oci.py --folder DIR [--epoch SECONDS] FILE=PATH...

FILE is of this machine, PATH where it lies in the image. The shared libraries of each program come along, at the paths
where the loader finds them. The same files, names and epoch give the same bytes: entries are sorted, owned by root,
and of the time `--epoch`.
"""
import argparse
import gzip
import hashlib
import io
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import tarfile

USER = "65532"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
# Who the user is, and that names come from files and DNS.
OWN_FILES = {
    "etc/passwd": f"root:x:0:0:root:/:/sbin/nologin\ncertpair:x:{USER}:{USER}:certpair:/:/sbin/nologin\n",
    "etc/group": f"root:x:0:\ncertpair:x:{USER}:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
}


def libraries(program):
    """(path) of the shared libraries and the loader, as ldd finds them; none of what is not a dynamic program."""
    answer = subprocess.run(["ldd", program], capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]})
    if "not found" in answer.stdout:
        sys.exit(f"{program} needs libraries that are not here:\n{answer.stdout}")
    return re.findall(r"(/\S+) \(0x", answer.stdout)


def collect(files):
    """path in the image -> (mode, bytes)"""
    found = {path: (0o644, text.encode()) for path, text in OWN_FILES.items()}
    for file in files:
        source, path = file.split("=", 1)
        sources = [(source, path)]
        if os.access(source, os.X_OK):
            sources += [(library, library) for library in libraries(source)]
        for origin, place in sources:
            mode = 0o755 if os.access(origin, os.X_OK) else 0o644
            found[place.lstrip("/")] = (mode, pathlib.Path(origin).read_bytes())
    return found


def folders_of(paths):
    """Every folder above them, those that hold others first."""
    return sorted({str(parent) for path in paths for parent in pathlib.PurePosixPath(path).parents if str(parent) != "."})


def tar(entries, epoch):
    """entries: (path, mode, bytes, or None for a folder)"""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, mode, content in entries:
            info = tarfile.TarInfo(path)
            info.mode, info.mtime = mode, epoch
            if content is None:
                info.type = tarfile.DIRTYPE
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def layer_of(files, epoch):
    entries = [(folder, 0o755, None) for folder in folders_of(files)]
    return tar(entries + [(path, *files[path]) for path in sorted(files)], epoch)


class Layout:
    """The blobs of an image layout, by digest."""

    def __init__(self):
        self.blobs = {}

    def add(self, content, media_type):
        digest = hashlib.sha256(content).hexdigest()
        self.blobs[digest] = content
        return {"mediaType": f"application/vnd.oci.image.{media_type}", "digest": f"sha256:{digest}", "size": len(content)}

    def archive(self, index, epoch):
        entries = [("blobs", 0o755, None), ("blobs/sha256", 0o755, None)]
        entries += [(f"blobs/sha256/{digest}", 0o644, self.blobs[digest]) for digest in sorted(self.blobs)]
        entries += [("index.json", 0o644, index), ("oci-layout", 0o644, as_json({"imageLayoutVersion": "1.0.0"}))]
        return tar(entries, epoch)


def as_json(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def image(files, name, entrypoint, labels, epoch):
    """(the archive's bytes, the manifest's digest)"""
    layout = Layout()
    plain = layer_of(files, epoch)
    layer = layout.add(gzip.compress(plain, compresslevel=9, mtime=0), "layer.v1.tar+gzip")
    config = layout.add(as_json({
        "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()), "os": "linux",
        "config": {"Entrypoint": entrypoint.split(), "User": f"{USER}:{USER}", "WorkingDir": "/", "Env": ["PATH=/usr/bin"], "Labels": labels},
        "created": labels["org.opencontainers.image.created"],
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(plain).hexdigest()]},
    }), "config.v1+json")
    manifest = layout.add(as_json({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config,
                                   "layers": [layer], "annotations": labels}), "manifest.v1+json")
    manifest["annotations"] = {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name.rsplit(":", 1)[-1]}
    index = as_json({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [manifest]})
    return layout.archive(index, epoch), manifest["digest"]


def write_folder(files, folder, epoch):
    """Modes and times as in the archive, whatever the umask; folders last, since what is made in one changes its time."""
    root = pathlib.Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    for path in folders_of(files):
        (root / path).mkdir(exist_ok=True)
    for path, (mode, content) in files.items():
        (root / path).write_bytes(content)
        (root / path).chmod(mode)
        os.utime(root / path, (epoch, epoch))
    for place in [root / path for path in reversed(folders_of(files))] + [root]:
        place.chmod(0o755)
        os.utime(place, (epoch, epoch))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archive")
    parser.add_argument("--folder")
    parser.add_argument("--name", default="localhost/certpair:dev")
    parser.add_argument("--entrypoint", default="/usr/bin/certpair-controller")
    parser.add_argument("--label", action="append", default=[])
    parser.add_argument("--epoch", type=int, default=0)
    parser.add_argument("files", nargs="+", metavar="FILE=PATH")
    options = parser.parse_args()
    files = collect(options.files)
    if options.folder:
        write_folder(files, options.folder, options.epoch)
    if options.archive:
        labels = {"org.opencontainers.image.created": "1970-01-01T00:00:00Z", **dict(label.split("=", 1) for label in options.label)}
        content, digest = image(files, options.name, options.entrypoint, labels, options.epoch)
        pathlib.Path(options.archive).write_bytes(content)
        print(f"{options.archive}: {options.name}, {len(content) / 2**20:.1f} MiB, {digest}")


if __name__ == "__main__":
    main()
