#!/usr/bin/env python3
"""Remembers which programs passed in a CTest run, so that the next need not repeat them.

    passed.py JUNIT_FILE FOLDER

For a program P that passed, and of which no test was skipped, makes the empty file that FOLDER/P.mark names.
"""
import os
import sys
import xml.etree.ElementTree as ElementTree


def main():
    junit, folder = sys.argv[1:]
    for case in ElementTree.parse(junit).getroot().iter("testcase"):
        program = case.get("name").rpartition(".")[2]
        mark = os.path.join(folder, program + ".mark")
        if case.get("status") != "run" or ": Skipped" in (case.findtext("system-out") or "") or not os.path.exists(mark):
            continue
        with open(mark, encoding="utf-8") as text:
            open(text.read().strip(), "w", encoding="utf-8").close()


if __name__ == "__main__":
    main()
