#!/usr/bin/env python3
"""Holds the documents to the code: each rule number has a row in docs/rules.md, and each file and test that docs/rules.md,
ARCHITECTURE.md and docs/invariants.md name exists.

    document_rules.py [ROOT]    prints each break as `path:line: what`; exit status 1 if there is one
"""
import os
import re
import sys
from typing import Dict, Iterator, List, Set

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from include_rules import Problem, Tree, read_tree, report, root_given  # noqa: E402

TABLE = "docs/rules.md"
OTHERS = ("ARCHITECTURE.md", "docs/invariants.md")
# "R14", but no part of a word.
NUMBER = re.compile(r"(?<![\w:-])R(\d{1,2})(?!\w)")
NUMBERED = (".cpp", ".hpp", ".py", ".md", ".yaml", ".sh", ".json", ".tpl")
CODE_SPAN = re.compile(r"`([^`]+)`")
A_FILE = re.compile(r"[\w/.-]+\.(cpp|hpp|yaml|md|py|txt)")
A_TEST = re.compile(r"(?:[A-Za-z0-9]+/)?[A-Za-z0-9]+\.[A-Za-z0-9]\w*_\w+")


def rows(table: str) -> Dict[str, int]:
    """The rule numbers that have a row, and the line of each."""
    found = {}
    for number, line in enumerate(table.splitlines(), 1):
        match = re.match(r"\|\s*R(\d+)\s*\|", line)
        if match:
            found[match.group(1)] = number
    return found


def tests_of(tree: Tree) -> Set[str]:
    """`Suite.Name` of each GoogleTest, `Class.test_name` of each Python test, and the names given to CTest."""
    names: Set[str] = set()
    for path, text in tree.items():
        if not path.startswith("tests/"):
            continue
        if path.endswith((".cpp", ".hpp")):
            names |= {".".join(match) for match in re.findall(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\)", text, re.MULTILINE)}
        elif path.endswith(".py"):
            owner = ""
            for line in text.splitlines():
                match = re.match(r"class (\w+)|    def (test_\w+)", line)
                if match and match.group(1):
                    owner = match.group(1)
                elif match:
                    names.add(f"{owner}.{match.group(2)}")
        elif path.endswith("CMakeLists.txt"):
            names |= set(re.findall(r"add_test\(NAME (\S+)", text))
    return names


def check_numbers(tree: Tree) -> Iterator[Problem]:
    known = rows(tree.get(TABLE, ""))
    for path in sorted(tree):
        if not path.endswith(NUMBERED) or path == TABLE or path.startswith("tests/rules/"):
            continue
        for number, line in enumerate(tree[path].splitlines(), 1):
            for match in NUMBER.finditer(line):
                if match.group(1) not in known:
                    yield Problem(path, number, f"R{match.group(1)} has no row in {TABLE}")


def exists(tree: Tree, name: str) -> bool:
    """A path from the root or from src/, or a file's bare name, as ARCHITECTURE.md uses them."""
    return name in tree or f"src/{name}" in tree or any(path.endswith("/" + name) for path in tree)


def check_names(tree: Tree) -> Iterator[Problem]:
    tests = tests_of(tree)
    for path in (TABLE, *OTHERS):
        for number, line in enumerate(tree.get(path, "").splitlines(), 1):
            for span in CODE_SPAN.findall(line):
                if A_FILE.fullmatch(span):
                    if not exists(tree, span):
                        yield Problem(path, number, f"there is no file {span}")
                elif A_TEST.fullmatch(span) and span.split("/")[-1] not in tests:
                    yield Problem(path, number, f"there is no test {span}")


def check_rows(tree: Tree) -> Iterator[Problem]:
    """A row without a test proves nothing."""
    for number, line in enumerate(tree.get(TABLE, "").splitlines(), 1):
        if re.match(r"\|\s*R\d+\s*\|", line) and not any(A_TEST.fullmatch(span) for span in CODE_SPAN.findall(line)):
            yield Problem(TABLE, number, "a row names at least one test")


CHECKS = [check_numbers, check_names, check_rows]


def problems(tree: Tree) -> List[Problem]:
    return [problem for check in CHECKS for problem in check(tree)]


def main() -> int:
    root = root_given()
    tree = read_tree(root)
    if TABLE not in tree:
        print(f"{root}: no {TABLE} here", file=sys.stderr)
        return 2
    return report(problems(tree), f"{len(rows(tree[TABLE]))} rules, {len(tests_of(tree))} tests")


if __name__ == "__main__":
    sys.exit(main())
