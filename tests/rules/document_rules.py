#!/usr/bin/env python3
"""Holds the documents to the code: each rule number has a row in docs/rules.md; each file and test that the documents for
developers name exists, and so does each name in the lists of "Where to add what"; ARCHITECTURE.md keeps its length, and its
table of folders is the one that include_rules.py checks.

    document_rules.py [ROOT]    prints each break as `path:line: what`; exit status 1 if there is one
"""
import os
import re
import sys
from typing import Dict, Iterator, List, Set

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from include_rules import MAY_INCLUDE, Problem, Tree, read_tree, report, root_given  # noqa: E402

TABLE = "docs/rules.md"
ARCHITECTURE = "ARCHITECTURE.md"
OTHERS = (ARCHITECTURE, "docs/invariants.md")
DESIGN = "docs/design/"
LISTS = "docs/design/where-to-add-what.md"
LONGEST = {ARCHITECTURE: 200, "README.md": 150}
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


def is_path(tree: Tree, name: str) -> bool:
    """A file, or a folder with files in it, from the root."""
    return name in tree or any(path.startswith(name + "/") for path in tree)


def holds(text: str, name: str) -> bool:
    """Whether a text has a name as a whole word; of a qualified name, the last part."""
    last = name.rsplit("::", 1)[-1]
    return re.search(rf"(?<!\w){re.escape(last)}(?!\w)", text) is not None


def sources(tree: Tree) -> str:
    return "\n".join(text for path, text in tree.items() if path.startswith(("src/", "controller/", "plugin/")) and path.endswith((".cpp", ".hpp")))


def check_names(tree: Tree) -> Iterator[Problem]:
    tests = tests_of(tree)
    for path in (TABLE, *OTHERS, *sorted(path for path in tree if path.startswith(DESIGN) and path != LISTS)):
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


# Names of types, functions and constants of ours, and no words of YAML or of a command line.
A_NAME = re.compile(r"(?:[A-Za-z]\w*::)*(?:k?[A-Z][a-z0-9]+(?:[A-Z]\w*)?|k[A-Z]\w*)(?:::\w+)?")


def check_lists(tree: Tree) -> Iterator[Problem]:
    """In a row of "Where to add what" the first name is a file, and the file has each of the other names."""
    for number, line in enumerate(tree.get(LISTS, "").splitlines(), 1):
        match = re.match(r"\| `([^`]+)` \| (.*) \|$", line)
        if not match:
            continue
        file, said = match.groups()
        if file not in tree:
            yield Problem(LISTS, number, f"there is no file {file}")
            continue
        for span in CODE_SPAN.findall(said):
            if "/" in span and not span.startswith("-") and " " not in span or A_FILE.fullmatch(span):
                if not is_path(tree, span):
                    yield Problem(LISTS, number, f"there is no file {span}")
            elif re.fullmatch(r"\w+(::\w+)*", span) and not holds(tree[file], span):
                yield Problem(LISTS, number, f"{file} has no {span}")


def check_types(tree: Tree) -> Iterator[Problem]:
    """ARCHITECTURE.md and docs/design speak of types and functions that exist."""
    code = sources(tree)
    for path in (ARCHITECTURE, *sorted(path for path in tree if path.startswith(DESIGN) and path != LISTS)):
        for number, line in enumerate(tree.get(path, "").splitlines(), 1):
            for span in CODE_SPAN.findall(line):
                if ("::" in span or re.fullmatch(r"k?[A-Z][a-z]+[A-Z]\w*|k[A-Z]\w+", span)) and A_NAME.fullmatch(span) and not holds(code, span):
                    yield Problem(path, number, f"the code has no {span}")


def check_lengths_of_documents(tree: Tree) -> Iterator[Problem]:
    for path, most in LONGEST.items():
        lines = tree.get(path, "").count("\n")
        if lines > most:
            yield Problem(path, most + 1, f"{lines} lines, and the maximum is {most}: details belong into docs/")


def check_folders(tree: Tree) -> Iterator[Problem]:
    """The table of folders in ARCHITECTURE.md says what include_rules.py checks."""
    rows = {}
    for number, line in enumerate(tree.get(ARCHITECTURE, "").splitlines(), 1):
        match = re.match(r"\| `([a-z0-9/]+)` \|.*\| ([a-z0-9, ]+) \|$", line)
        if match and match.group(1) in MAY_INCLUDE:
            names = set() if match.group(2) == "nothing of ours" else set(match.group(2).split(", "))
            rows[match.group(1)] = (number, names)
    for folder, allowed in MAY_INCLUDE.items():
        if folder not in rows:
            yield Problem(ARCHITECTURE, 1, f"the table of folders has no row for {folder}")
        elif rows[folder][1] != allowed:
            yield Problem(ARCHITECTURE, rows[folder][0], f"{folder} may include {', '.join(sorted(allowed)) or 'nothing of ours'}, as include_rules.py has it")


def check_functions(tree: Tree) -> Iterator[Problem]:
    """A rule names the functions that implement it, each before its file: `A`, `B` in `file`."""
    for number, line in enumerate(tree.get(TABLE, "").splitlines(), 1):
        match = re.match(r"\|\s*R\d+\s*\|[^|]*\|([^|]*)\|", line)
        names: List[str] = []
        for span in CODE_SPAN.findall(match.group(1)) if match else []:
            if not A_FILE.fullmatch(span):
                names.append(span)
                continue
            if not names:
                yield Problem(TABLE, number, f"no function is named before {span}")
            for name in names:
                if not holds(tree.get(span, ""), name):
                    yield Problem(TABLE, number, f"{span} has no {name}")
            names = []


LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def anchors(text: str) -> Set[str]:
    """What a heading can be linked by, as GitHub makes it."""
    heads = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


def check_links_of_documents(tree: Tree) -> Iterator[Problem]:
    """A link from a document to a file, a folder or a heading of this repository leads there."""
    for path in sorted(tree):
        if not path.endswith(".md"):
            continue
        for number, line in enumerate(tree[path].splitlines(), 1):
            for target in LINK.findall(re.sub(r"`[^`]*`", "", line)):
                if re.match(r"[a-z]+:", target):
                    continue
                file, _, anchor = target.partition("#")
                there = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
                if not is_path(tree, there):
                    yield Problem(path, number, f"the link {target} leads nowhere")
                elif anchor and anchor not in anchors(tree.get(there, "")):
                    yield Problem(path, number, f"{there} has no heading for #{anchor}")


CHECKS = [check_links_of_documents, check_numbers, check_names, check_rows, check_functions, check_lists, check_types, check_lengths_of_documents, check_folders]


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
