#!/usr/bin/env python3
"""Runs clang-tidy over the sources of a build folder, in parallel, and only over those that changed.

    tidy.py CLANG_TIDY BUILD CACHE [FOLDER...]

What passed is remembered in CACHE under a hash of all that the answer depends on: the compiler's command, the text of
the file and of every header of ours that it includes, the identity of the others, .clang-tidy and clang-tidy itself.
So the build must have run before: it knows the headers. Exit status 1 if something was found.
"""
import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys
import time

# clang 19 cannot read cpprestsdk's json.h as C++23: a unique_ptr of a type that is incomplete there.
UNREADABLE = ("src/kube/transport_cpprest.cpp",)
FORGET_AFTER = 30 * 24 * 3600  # seconds


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


def included_files(build):
    """Of each object file: what it was made of, as ninja recorded it."""
    deps, current = {}, None
    for line in run("ninja", "-C", build, "-t", "deps").stdout.splitlines():
        if line.startswith("    ") and current is not None:
            deps[current].append(os.path.normpath(os.path.join(build, line.strip())))
        elif ": #deps" in line:
            current = line.split(":")[0]
            deps[current] = []
        else:
            current = None
    return deps


class Keys:
    """The hash under which a file's good result is remembered."""

    def __init__(self, root, clang_tidy):
        self.root = root
        self.seen = {}
        self.common = run(clang_tidy, "--version").stdout
        for path in (".clang-tidy", "tests/.clang-tidy"):
            self.common += self.identity(os.path.join(root, path))

    def identity(self, path):
        if path not in self.seen:
            try:
                if path.startswith(self.root + os.sep):
                    with open(path, "rb") as file:
                        self.seen[path] = hashlib.sha256(file.read()).hexdigest()
                else:
                    stat = os.stat(path)
                    self.seen[path] = f"{stat.st_size} {int(stat.st_mtime)}"
            except OSError:
                self.seen[path] = "absent"
        return self.seen[path]

    def of(self, entry, deps):
        # Another clone of the same text, elsewhere, gets the same answer.
        parts = [self.common, entry["command"].replace(self.root, "."), self.identity(entry["file"])]
        parts += sorted(f"{path.replace(self.root, '.')} {self.identity(path)}" for path in deps)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def is_ours(root, finding):
    return os.path.abspath(finding.group(1)).startswith(root + os.sep)


def check(clang_tidy, build, root, path):
    """Whether it is good, and what was said. What is found inside a library's header is not ours to mend, but named."""
    result = run("nice", clang_tidy, "--quiet", "-p", build, path)
    findings = list(re.finditer(r"^(\S+?):\d+:\d+: error:", result.stdout, re.MULTILINE))
    if result.returncode != 0 and findings and not any(is_ours(root, finding) for finding in findings):
        headers = sorted({finding.group(1) for finding in findings})
        return True, f"left out: {len(findings)} findings inside {', '.join(headers)}"
    return result.returncode == 0, result.stdout + ("" if result.returncode == 0 else result.stderr)


def say(root, path, output):
    if output:
        print(f"{os.path.relpath(path, root)}: {output}", flush=True)


def prune(cache):
    oldest = time.time() - FORGET_AFTER
    for name in os.listdir(cache):
        path = os.path.join(cache, name)
        if os.stat(path).st_mtime < oldest:
            os.unlink(path)


def main():
    clang_tidy, build, cache, *folders = sys.argv[1:]
    build = os.path.abspath(build)
    root = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
    os.makedirs(cache, exist_ok=True)
    prune(cache)
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        entries = json.load(file)
    wanted = tuple(os.path.join(root, folder) + os.sep for folder in folders or ["src"])
    deps, keys, todo, known = included_files(build), Keys(root, clang_tidy), [], 0
    for entry in entries:
        if not entry["file"].startswith(wanted) or not os.path.exists(entry["file"]):
            continue
        if os.path.relpath(entry["file"], root) in UNREADABLE:
            say(root, entry["file"], "left out: clang cannot read a header of cpprestsdk's as C++23")
            continue
        # CMake 3.25 does not write "output" for Ninja.
        output = entry.get("output") or re.search(r" -o (\S+)", entry["command"]).group(1)
        mark = os.path.join(cache, keys.of(entry, deps.get(output, [])))
        if os.path.exists(mark):
            os.utime(mark)
            known += 1
            with open(mark, encoding="utf-8") as remembered:
                say(root, entry["file"], remembered.read())
        else:
            todo.append((entry["file"], mark))
    print(f"{len(todo)} files to check, {known} unchanged since they passed", flush=True)
    failed, said = 0, time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {pool.submit(check, clang_tidy, build, root, path): (path, mark) for path, mark in todo}
        for done, future in enumerate(concurrent.futures.as_completed(runs), 1):
            path, mark = runs[future]
            good, output = future.result()
            if good:
                with open(mark, "w", encoding="utf-8") as remembered:
                    remembered.write(output)
            else:
                failed += 1
            say(root, path, output)
            if time.monotonic() - said > 30:
                said = time.monotonic()
                print(f"{done} of {len(todo)} files", flush=True)
    print(f"{failed} files with findings" if failed else "nothing found")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
