#!/usr/bin/env python3
"""Prints what a CTest run did not run, and why: one line a reason, with the number of tests.

    skipped.py JUNIT_FILE

GoogleTest prints `file:line: Skipped` and the reason below it, Python's unittest `… skipped 'reason'`; a program that cannot start what it needs says so in a
line of its own.
"""
import collections
import re
import sys
import xml.etree.ElementTree as ElementTree


def reasons(case):
    """Why parts of one CTest test did not run; several where it is a program of many tests."""
    output = case.findtext("system-out") or ""
    found = re.findall(r"^[^\n]*: Skipped\n([^\n]+)", output, re.MULTILINE)
    found += re.findall(r"^.* \.\.\. skipped ['\"](.+)['\"]$", output, re.MULTILINE)
    if found:
        return found
    if case.find("skipped") is None and case.get("status") != "disabled":
        return []
    line = re.search(r"^.*no control plane: .*$", output, re.MULTILINE)
    if line:
        return [line.group(0).strip()]
    lines = [text for text in output.splitlines() if text.strip()]
    return [lines[-1].strip() if lines else "disabled" if case.get("status") == "disabled" else "no reason given"]


def main():
    tests = collections.defaultdict(list)
    for case in ElementTree.parse(sys.argv[1]).getroot().iter("testcase"):
        for reason in reasons(case):
            tests[reason].append(case.get("name"))
    for reason, names in tests.items():
        what = names[0] if len(names) == 1 else f"{len(names)} tests ({names[0]}, …)"
        print(f"{what}: {reason}")


if __name__ == "__main__":
    main()
