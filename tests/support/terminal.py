#!/usr/bin/env python3
"""Runs a program on a terminal of its own, as a person would.

    terminal.py '[["expect", "[y/N]"], ["send", "y\\n"]]' PROGRAM [ARGUMENT]...

Steps: `expect TEXT` waits until it was printed (after what an earlier step waited for), `send TEXT` types it.
Prints {"exit": status, "screen": "all that was printed"}; exit status 1 where an expected text did not come in a minute.
"""
import json
import os
import pty
import select
import sys
import time

LIMIT = 60


def read_more(terminal, until):
    """More of what is printed; empty when the program has ended, None when the time is over."""
    ready, _, _ = select.select([terminal], [], [], max(0, until - time.monotonic()))
    if not ready:
        return None
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux: the other end is closed
        return b""


def main():
    steps, command = json.loads(sys.argv[1]), sys.argv[2:]
    child, terminal = pty.fork()
    if child == 0:
        os.execv(command[0], command)
    until = time.monotonic() + LIMIT
    screen, seen, missing = b"", 0, None
    for what, text in steps:
        if what == "send":
            os.write(terminal, text.encode())
            continue
        while (place := screen.find(text.encode(), seen)) < 0:
            more = read_more(terminal, until)
            if not more:
                missing = text
                break
            screen += more
        if missing is not None:
            break
        seen = place + len(text.encode())
    while missing is None:
        more = read_more(terminal, until)
        if not more:
            missing = "the end" if more is None else None
            break
        screen += more
    if missing is not None:
        os.kill(child, 9)
    _, status = os.waitpid(child, 0)
    print(json.dumps({"exit": os.waitstatus_to_exitcode(status), "screen": screen.decode(errors="replace"),
                      "missing": missing}))
    sys.exit(0 if missing is None else 1)


main()
