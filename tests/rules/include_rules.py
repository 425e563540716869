#!/usr/bin/env python3
"""Holds the rules of ARCHITECTURE.md that a compiler does not: which folder includes what, who looks at the clock,
the environment and signals, and what must not stand in the repository at all.

    include_rules.py [ROOT]    prints each break as `path:line: what (why)`; exit status 1 if there is one

A tree is a dict of paths (from the root, with slashes) to texts, so that the rules can be tried without files.
"""
import os
import re
import sys
from typing import Dict, Iterator, List, NamedTuple, Set

Tree = Dict[str, str]


class Problem(NamedTuple):
    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


# The table "Folders": what of ours a folder may include.
ALL = {"base", "core", "x509", "kube", "notify", "http", "metrics", "reconcile"}  # what the operator consists of
MAY_INCLUDE: Dict[str, Set[str]] = {
    "src/base": set(),
    "src/core": {"base"},
    "src/x509": {"base", "core"},
    "src/kube": {"base"},
    "src/notify": {"base", "core"},
    "src/http": {"base"},
    "src/metrics": {"base", "http"},
    "src/reconcile": ALL - {"reconcile"},
    "src/actions": {"base", "core", "x509", "kube", "reconcile"},
    "controller": ALL,
    "plugin": ALL | {"actions"},
}

STANDARD = r"[a-z_0-9]+"  # no dot, no slash
POSIX = r"(sys|netinet|arpa|linux)/[a-z0-9_]+\.h|(unistd|fcntl|poll|netdb|pthread|spawn|time|termios)\.h"
CPPREST = r"(cpprest|pplx|boost)/.*"
# What of others a folder may include; whole names between < and >.
FOREIGN: Dict[str, str] = {
    "src/base": r"(fmt|spdlog)/.*|(malloc|unistd)\.h",
    "src/core": r"fmt/.*|boost/container/.*",
    "src/x509": rf"fmt/.*|openssl/.*|{POSIX}",
    "src/kube": rf"fmt/.*|nlohmann/.*|yaml-cpp/.*|openssl/.*|{CPPREST}|{POSIX}",
    "src/notify": rf"fmt/.*|curl/.*|gmime/.*|{POSIX}",
    "src/http": rf"fmt/.*|boost/(asio|beast)/.*|{POSIX}",
    "src/metrics": rf"fmt/.*|prometheus/.*|{POSIX}",
    "src/reconcile": rf"fmt/.*|nlohmann/.*|{POSIX}",
    "src/actions": r"fmt/.*|nlohmann/.*",
    "controller": rf"malloc\.h|fmt/.*|CLI/.*|{POSIX}",
    "plugin": rf"fmt/.*|CLI/.*|nlohmann/.*|yaml-cpp/.*|{POSIX}",
}
# Standard headers with which the pure folder could do what it must not: I/O, threads, randomness.
IMPURE = {
    "iostream", "istream", "ostream", "fstream", "sstream", "cstdio", "filesystem", "thread", "mutex", "shared_mutex",
    "condition_variable", "future", "atomic", "stop_token", "random", "csignal", "cstdlib", "ctime", "locale",
}
THE_CPPREST_FILE = "src/kube/transport_cpprest.cpp"
THE_CURL_FILES = {"src/notify/smtp_connection.cpp", "src/notify/curl_setup.cpp", "src/notify/curl_setup.hpp"}
THE_BEAST_FILE = "src/http/server.cpp"
OPENSSL_CERTIFICATES = r"openssl/(x509.*|pem.*|pkcs7|pkcs12|cms|ocsp|ts)\.h"

MAINS = {"controller/main.cpp", "plugin/main.cpp"}
CLOCKS = MAINS | {"src/base/clock.hpp", "src/base/log.cpp"}
# These measure how long a thread sleeps at most; nothing is decided by it.
WAITS = CLOCKS | {
    THE_CPPREST_FILE, "src/kube/work_queue.cpp", "src/kube/reflector.cpp", "src/kube/events.cpp",
    "src/kube/leader_elector.cpp", "src/notify/outbox.cpp", "src/reconcile/caches.cpp",
}
OUTSIDE_WORLD = [  # a pattern in code, the files that may have it, and what it is
    (r"system_clock\s*::\s*now|\bSystemClock\b|\bgettimeofday\b|\bclock_gettime\b|\btime\s*\(\s*(nullptr|0|NULL)\s*\)",
     CLOCKS, "the wall clock: take a Clock, or the time itself"),
    (r"steady_clock\s*::\s*now", WAITS, "the steady clock: take a Clock"),
    (r"\b(secure_)?getenv\b|\b(un)?setenv\b|\bputenv\b|\benviron\b", MAINS | {THE_CPPREST_FILE},
     "the environment: take what you need as a value"),
    (r"\bsigaction\b|\bstd::signal\b|\bsignal\s*\(|\bsigprocmask\b|\bpthread_sigmask\b|\bsigwait\w*\b|\bsignalfd\b",
     MAINS, "signals: take a std::stop_token"),
]
MAX_LINES = 500

CODE = (".cpp", ".hpp")
SKIPPED_FOLDERS = {".git", "build", ".cache", "__pycache__", "node_modules"}


def folder_of(path: str) -> str:
    """The row of the tables that a file belongs to; empty where there is none."""
    parts = path.split("/")
    if parts[0] == "src" and len(parts) > 2:
        return "/".join(parts[:2])
    return parts[0] if parts[0] in ("controller", "plugin") and len(parts) > 1 else ""


def code_of(tree: Tree, *folders: str) -> Iterator[str]:
    for path in sorted(tree):
        if path.endswith(CODE) and path.startswith(tuple(f + "/" for f in folders)):
            yield path


def includes(text: str) -> Iterator[tuple]:
    """(line, quoted?, name) of each #include."""
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]*)[>"]', line)
        if match:
            yield number, match.group(1) == '"', match.group(2)


def without_comments_and_texts(text: str) -> str:
    """The code alone; lines stay where they are."""
    pattern = r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
    return re.sub(pattern, lambda m: "\n" * m.group(0).count("\n"), text, flags=re.DOTALL)


def check_our_includes(tree: Tree) -> Iterator[Problem]:
    for path in code_of(tree, "src", "controller", "plugin"):
        folder = folder_of(path)
        if folder not in MAY_INCLUDE:
            yield Problem(path, 1, "this folder is not in the table of folders")
            continue
        for line, quoted, name in includes(tree[path]):
            if not quoted:
                continue
            if folder in ("controller", "plugin") and f"{folder}/{name}" in tree:
                continue
            if f"src/{name}" not in tree:
                yield Problem(path, line, f'"{name}": includes are written from src/, and name a file that is there')
                continue
            target = name.split("/")[0]
            if f"src/{target}" != folder and target not in MAY_INCLUDE[folder]:
                yield Problem(path, line, f'"{name}": {folder} must not include {target}')


def check_foreign_includes(tree: Tree) -> Iterator[Problem]:
    for path in code_of(tree, "src", "controller", "plugin"):
        folder = folder_of(path)
        if folder not in FOREIGN:
            continue
        for line, quoted, name in includes(tree[path]):
            if quoted:
                continue
            standard = re.fullmatch(STANDARD, name)
            if not standard and not re.fullmatch(FOREIGN[folder], name):
                yield Problem(path, line, f"<{name}>: not for {folder}")
            elif folder == "src/base" and path.endswith(".hpp") and not standard:
                yield Problem(path, line, f"<{name}>: headers of {folder} include the standard library only")
            elif folder == "src/core" and name in IMPURE:
                yield Problem(path, line, f"<{name}>: {folder} is pure; no I/O, threads, environment or randomness")


def check_openssl(tree: Tree) -> Iterator[Problem]:
    for path in code_of(tree, "src", "controller", "plugin"):
        for line, _, name in includes(tree[path]):
            if path.startswith("src/x509/") or path == THE_CPPREST_FILE:
                continue
            if re.fullmatch(OPENSSL_CERTIFICATES, name):
                yield Problem(path, line, f"<{name}>: only src/x509 includes OpenSSL's certificate headers")


def check_cpprest(tree: Tree) -> Iterator[Problem]:
    users = {}
    for path in code_of(tree, "src", "controller", "plugin", "bench", "tests"):
        for line, _, name in includes(tree[path]):
            if re.fullmatch(r"(cpprest|pplx)/.*", name):
                users.setdefault(path, line)
    for path, line in users.items():
        if path != THE_CPPREST_FILE:
            yield Problem(path, line, f"cpprestsdk is included by {THE_CPPREST_FILE} alone")
    if THE_CPPREST_FILE not in users:
        yield Problem(THE_CPPREST_FILE, 1, "this is the file that includes cpprestsdk, and it does not")


def check_curl(tree: Tree) -> Iterator[Problem]:
    for path in code_of(tree, "src", "controller", "plugin"):
        for line, _, name in includes(tree[path]):
            if name.startswith("curl/") and path not in THE_CURL_FILES:
                yield Problem(path, line, "libcurl is included by src/notify/curl_setup and smtp_connection.cpp alone")


def check_beast(tree: Tree) -> Iterator[Problem]:
    for path in code_of(tree, "src", "controller", "plugin"):
        if path.startswith("src/kube/"):  # what cpprestsdk's own Asio needs
            continue
        for line, _, name in includes(tree[path]):
            if re.match(r"boost/(asio|beast)", name) and path != THE_BEAST_FILE:
                yield Problem(path, line, f"Boost's Asio and Beast are included by {THE_BEAST_FILE} alone")


def check_outside_world(tree: Tree) -> Iterator[Problem]:
    for path in code_of(tree, "src", "controller", "plugin"):
        for number, line in enumerate(without_comments_and_texts(tree[path]).splitlines(), 1):
            for pattern, allowed, what in OUTSIDE_WORLD:
                if path not in allowed and re.search(pattern, line):
                    yield Problem(path, number, what)


def check_private_keys(tree: Tree) -> Iterator[Problem]:
    key = re.compile(
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?:\s|\\[nr]|\")*[A-Za-z0-9+/]{40}"
        r"|LS0tLS1CRUdJTi[A-Za-z0-9+/]{4,24}(?:UFJJVkFURS|QUklWQVRF|BSSVZBVE)[A-Za-z0-9+/]{60}"
        r"|LS0tLS1CRUdJTiBQUklWQVRF[A-Za-z0-9+/]{60}")
    for path, text in sorted(tree.items()):
        if re.search(r"\.(key|p12|pfx|jks|der)$", path):
            yield Problem(path, 1, "a file of key material: tests make their keys at run time")
        for match in key.finditer(text):
            yield Problem(path, text.count("\n", 0, match.start()) + 1, "a private key: tests make theirs at run time")


def check_lengths(tree: Tree) -> Iterator[Problem]:
    for path in code_of(tree, "src", "controller", "plugin"):
        lines = len(tree[path].splitlines())
        if lines > MAX_LINES:
            yield Problem(path, lines, f"{lines} lines: at most {MAX_LINES}; split it by subject")


def check_machine_paths(tree: Tree) -> Iterator[Problem]:
    """Paths of a developer's machine; users have other ones."""
    pattern = re.compile(r"(?<![\w.$}*-])/(?:root|work|home/(?!(?:me|user|you)/)[a-z][\w-]*)/[\w.]")
    for path, text in sorted(tree.items()):
        for number, line in enumerate(text.splitlines(), 1):
            if pattern.search(line):
                yield Problem(path, number, "a path of one machine")


def check_links(tree: Tree) -> Iterator[Problem]:
    """A folder links only libraries of folders that it may include."""
    path = "src/CMakeLists.txt"
    for number, line in enumerate(tree.get(path, "").splitlines(), 1):
        match = re.match(r"certpair_library\((\w+) (.*)\)", line)
        for linked in re.findall(r"certpair_(\w+)", match.group(2)) if match else []:
            if linked not in MAY_INCLUDE.get(f"src/{match.group(1)}", set()):
                yield Problem(path, number, f"src/{match.group(1)} must not link {linked}")


CHECKS = [check_links, check_our_includes, check_foreign_includes, check_openssl, check_cpprest, check_curl, check_beast, check_outside_world,
          check_private_keys, check_lengths, check_machine_paths]


def problems(tree: Tree) -> List[Problem]:
    return [problem for check in CHECKS for problem in check(tree)]


def read_tree(root: str) -> Tree:
    tree: Tree = {}
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS]
        for name in files:
            path = os.path.join(folder, name)
            if name in SKIPPED_FOLDERS:  # in a second work tree, .git is a file
                continue
            if os.path.islink(path) or os.path.getsize(path) > 2_000_000:
                continue
            with open(path, "rb") as file:
                data = file.read()
            if b"\0" not in data:
                tree[os.path.relpath(path, root).replace(os.sep, "/")] = data.decode("utf-8", "replace")
    return tree


def root_given() -> str:
    return sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..", "..")


def report(found: List[Problem], counted: str) -> int:
    """Prints each problem and a closing line; the exit status."""
    for problem in found:
        print(problem)
    print(f"{counted}, {len(found)} broken")
    return 1 if found else 0


def main() -> int:
    root = root_given()
    tree = read_tree(root)
    if not any(code_of(tree, "src")):
        print(f"{root}: no source here", file=sys.stderr)
        return 2
    return report(problems(tree), f"{len(tree)} files, {len(CHECKS)} rules")


if __name__ == "__main__":
    sys.exit(main())
