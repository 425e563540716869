#!/usr/bin/env python3
"""Writes what the source says already: the tables of reasons, flags, metrics and chart values in docs/, and the descriptions in the
schema of the chart's values.

    documents.py [--check] [ROOT]    writes each block between its markers; with --check it only compares, and exits with 1
                                     where a block is not up to date

A block begins with `<!-- generated: NAME -->` and ends with `<!-- end of NAME -->`. Nothing is built for it.
"""
import json
import os
import re
import sys
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
Read = Callable[[str], str]  # the text of a file, by its path from the root
STRING = r'"((?:\\.|[^"\\])*)"'

# Each document, and the blocks that must be in it.
DOCUMENTS = ("docs/status.md", "docs/flags.md", "docs/metrics.md", "docs/installation.md")


class SourceError(Exception):
    """The source has another form than is read here."""


def joined(literals: str) -> str:
    """C++ string literals one after the other, as the compiler joins them."""
    return "".join(re.findall(STRING, literals)).replace('\\"', '"').replace("\\\\", "\\")


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "\\<")


def table(heads: Tuple[str, ...], rows: List[Tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(cell(value) for value in row) + " |" for row in rows])


class Reason(NamedTuple):
    word: str
    status: str
    means: str
    event: bool


def reasons(read: Read) -> Dict[str, List[Reason]]:
    """The sections of core/reasons.hpp, each with its reasons in order."""
    body = read("src/core/reasons.hpp").split("namespace reason {", 1)[1]
    sections: Dict[str, List[Reason]] = {}
    here: List[Reason] = []
    said: List[str] = []
    for line in body.splitlines():
        if line.startswith("// ## "):
            here = sections.setdefault(line[6:].strip(), [])
        elif line.startswith("/// "):
            said.append(line[4:])
        elif match := re.match(r'inline constexpr std::string_view k\w+ = "(\w+)";', line):
            if not said:
                raise SourceError(f"src/core/reasons.hpp: {match.group(1)} has no comment")
            here.append(reason(match.group(1), " ".join(said)))
            said = []
    if sum(map(len, sections.values())) < 50:
        raise SourceError("src/core/reasons.hpp: fewer reasons than there must be")
    return sections


def reason(word: str, comment: str) -> Reason:
    event = comment.endswith(" Also an Event.")
    comment = comment.removesuffix(" Also an Event.")
    match = re.match(r"(True or False|True|False|Unknown): (.*)", comment)
    status, means = (match.group(1), match.group(2)) if match else ("", comment)
    # The numbers of rules are for readers of the code.
    return Reason(word, status, re.sub(r"(?:,? ?\(R\d+(?:, R\d+)*\)|, R\d+(?=\)))", "", means), event)


def reason_tables(read: Read) -> Dict[str, str]:
    blocks = {}
    for title, found in reasons(read).items():
        if any(one.status for one in found):
            rows = [(one.status, f"`{one.word}`", "yes" if one.event else "", one.means) for one in found]
            blocks["reasons: " + title] = table(("status", "reason", "Event", "meaning"), rows)
        else:
            blocks["reasons: " + title] = table(("reason", "meaning"), [(f"`{one.word}`", one.means) for one in found])
    return blocks


def authority_faults(read: Read) -> Dict[str, str]:
    source = read("src/x509/authority.hpp")
    match = re.search(r"enum class AuthorityFault \{(.*?)\n\};", source, re.DOTALL)
    if not match:
        raise SourceError("src/x509/authority.hpp: no enum class AuthorityFault")
    rows = [(f"`{word}`", re.sub(r"\s*///\s*", " ", said)) for said, word in re.findall(r"((?:  ///[^\n]*\n)+)  (\w+),", match.group(1))]
    return {"reasons: CertificateAuthority, Secret": table(("reason", "meaning"), rows)}


FLAG_CALL = re.compile(rf'\bAdd(?:Duration)?\(\s*app, {STRING}, {STRING},\s*([\w.]+),\s*((?:{STRING}\s*)+)\)(.*?);', re.DOTALL)
# Flags without a variable of the environment.
BARE_CALL = re.compile(rf'app\.add_option\(\s*{STRING}, [\w.]+,\s*((?:{STRING}\s*)+)\)\s*->type_name\({STRING}\);', re.DOTALL)
DEFAULTS = ("controller/options.cpp", "controller/options.hpp", "src/notify/settings.hpp", "src/kube/lease.hpp")


def default_of(member: str, calls: str, read: Read) -> str:
    """What the flag is where it is not given: as the call says, else the member's initial value."""
    if told := re.search(rf"->default_str\({STRING}\)", calls):
        return told.group(1)
    if not calls.startswith("AddDuration") and "->capture_default_str()" not in calls:
        return ""
    name = member.rsplit(".", 1)[-1]
    for path in DEFAULTS:
        if match := re.search(rf"^\s*std::chrono::milliseconds {name}\{{([\d']+)\}};", read(path), re.MULTILINE):
            return f"{int(match.group(1).replace(chr(39), '')) // 1000}s"
        if match := re.search(rf"^\s*(?:std::string|std::size_t|int) {name} = ([^;]+);", read(path), re.MULTILINE):
            return match.group(1).strip('"')
    raise SourceError(f"{DEFAULTS[0]}: no default of {member} is found")


def flag_table(read: Read) -> Dict[str, str]:
    source = read("controller/options.cpp")
    rows = []
    for call in FLAG_CALL.finditer(source):
        flag, kind, member = call.group(1), call.group(2), call.group(3)
        environment = "CERTPAIR" + flag[1:].upper().replace("-", "_")
        default = default_of(member, call.group(0), read)
        rows.append((f"`{flag} {kind}`", f"`{environment}`", f"`{default}`" if default else "", joined(call.group(4))))
    for call in BARE_CALL.finditer(source):
        rows.append((f"`{call.group(1)} {call.group(4)}`", "", "", joined(call.group(2))))
    declared = set(re.findall(r'"(--[a-z][a-z-]+)[",]', source)) - {"--version", "--help"}
    if missing := declared - {row[0].strip("`").split(" ")[0] for row in rows}:
        raise SourceError(f"controller/options.cpp: cannot read the declaration of {', '.join(sorted(missing))}")
    return {"flags": table(("flag", "environment", "default", "meaning"), rows)}


def metric_table(read: Read) -> Dict[str, str]:
    registry, expiry = read("src/metrics/registry.cpp"), read("src/metrics/expiry.cpp")
    rows = []
    kinds = {"Counters": "counter", "Gauges": "gauge", "Histograms": "histogram"}
    for match in re.finditer(rf'\b(Counters|Gauges|Histograms)\(\s*registry,\s*"(certpair_\w+)",\s*((?:{STRING}\s*)+)\)', registry):
        # Of a family with labels they follow as a list of literals; of one without, the next thing is another.
        after = re.match(r"\s*,\s*\{((?:\"\w+\"(?:, )?)+)\}", registry[match.end():])
        rows.append((match.group(2), kinds[match.group(1)], re.findall(r'"(\w+)"', after.group(1)) if after else [], joined(match.group(3))))
    heads = list(re.finditer(rf'(\w+) = "(certpair_\w+)";\s*WriteHead\(\s*text, \1, "(\w+)",\s*((?:{STRING}\s*)+)\);', expiry))
    for number, match in enumerate(heads):
        end = heads[number + 1].start() if number + 1 < len(heads) else len(expiry)
        labels = re.findall(r'(\w+)=\\"', expiry[match.end():end])
        rows.append((match.group(2), match.group(3), labels, joined(match.group(4))))
    declared = set(re.findall(r'"(certpair_\w+)"', registry + expiry))
    if missing := declared - {row[0] for row in rows}:
        raise SourceError(f"src/metrics: cannot read the declaration of {', '.join(sorted(missing))}")
    rows.sort()
    return {"metrics": table(("metric", "type", "labels", "meaning"),
                             [(f"`{name}`", kind, ", ".join(f"`{label}`" for label in labels), said) for name, kind, labels, said in rows])}


VALUES = "charts/certpair/values.yaml"
SCHEMA = "charts/certpair/values.schema.json"
VALUE = re.compile(r"( *)(\w+):(?: ([^#]*?(?:\"[^\"]*\")?[^#]*?))?(?:\s+# (.*))?$")


def values(read: Read) -> List[Tuple[str, str, str]]:
    """The path, default and comment (behind it or above it) of each value of the chart that is no group of others."""
    found = []
    path: List[str] = []
    above: List[str] = []
    for number, line in enumerate(read(VALUES).splitlines(), 1):
        if comment := re.match(r" *# (.*)", line):
            above.append(comment.group(1))
            continue
        match = VALUE.match(line)
        if match:
            indent, name, default, behind = match.groups()
            path = [*path[:len(indent) // 2], name]
            said = behind or " ".join(above)
            if default:
                if not said:
                    raise SourceError(f"{VALUES}:{number}: {'.'.join(path)} has no comment")
                found.append((".".join(path), default.strip(), said))
        elif line.strip():
            raise SourceError(f"{VALUES}:{number}: cannot read this line")
        above = []
    return found


def value_table(read: Read) -> Dict[str, str]:
    rows = [(f"`{path}`", f"`{default}`", said) for path, default, said in values(read)]
    return {"values": table(("value", "default", "meaning"), rows)}


def compact(value: Any, indent: int = 0) -> str:
    """JSON with each object or list on one line where it fits, and one member a line where it does not."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or len(line) + indent <= 140:
        return line
    pad, close = " " * (indent + 2), " " * indent
    if isinstance(value, list):
        return "[\n" + ",\n".join(pad + compact(one, indent + 2) for one in value) + "\n" + close + "]"
    members = (f"{pad}{json.dumps(name)}: {compact(one, indent + 2)}" for name, one in value.items())
    return "{\n" + ",\n".join(members) + "\n" + close + "}"


def schema(read: Read) -> str:
    """The schema of the values, with the comment of each value as its description."""
    root = json.loads(read(SCHEMA))
    for path, _, said in values(read):
        node = root
        for name in path.split("."):
            if name not in node.get("properties", {}):
                raise SourceError(f"{SCHEMA}: no {path}")
            node = node["properties"][name]
        node.pop("description", None)
        rest = dict(node)
        node.clear()
        node.update({"description": said, **rest})
    return compact(root) + "\n"


def blocks(read: Read) -> Dict[str, str]:
    return {**reason_tables(read), **authority_faults(read), **flag_table(read), **metric_table(read), **value_table(read)}


BLOCK = re.compile(r"<!-- generated: ([^\n]*?) -->\n(.*?)<!-- end of \1 -->", re.DOTALL)


def updated(documents: Dict[str, str], read: Read) -> Tuple[Dict[str, str], List[str]]:
    """The documents as they must be, and what cannot be put right by writing them."""
    made = blocks(read)
    used, faults = set(), []
    after = {}
    for path, text in documents.items():
        def replace(match: "re.Match[str]") -> str:
            name = match.group(1)
            used.add(name)
            if name not in made:
                faults.append(f"{path}: nothing generates the block \"{name}\"")
                return match.group(0)
            return f"<!-- generated: {name} -->\n{made[name]}\n<!-- end of {name} -->"
        after[path] = BLOCK.sub(replace, text)
    faults += [f"no document has the block \"{name}\"" for name in made if name not in used]
    return after, faults


def main() -> int:
    arguments = sys.argv[1:]
    check = "--check" in arguments
    root = next((word for word in arguments if word != "--check"), ROOT)

    def read(path: str) -> str:
        with open(os.path.join(root, path), encoding="utf-8") as file:
            return file.read()
    before = {path: read(path) for path in DOCUMENTS}
    try:
        after, faults = updated(before, read)
        before[SCHEMA], after[SCHEMA] = read(SCHEMA), schema(read)
    except SourceError as error:
        print(error)
        return 1
    for path in (*DOCUMENTS, SCHEMA):
        if before[path] == after[path]:
            continue
        if check:
            faults.append(f"{path}: what is generated in it is not up to date. Run scripts/documents.")
        else:
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(after[path])
            print(f"{path}: written")
    for fault in faults:
        print(fault)
    if not faults:
        print(f"{len(BLOCK.findall(''.join(after.values())))} generated tables, up to date")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
