#!/usr/bin/env python3
"""An SMTP server, on 127.0.0.1 unless --address says otherwise, that keeps what it is sent, and misbehaves as it is told.

    smtp_server.py FOLDER --tls starttls|tls|none [--address ADDRESS]
    smtp_server.py FOLDER --check     looks at the mails of one that has ended, and prints what it finds as JSON

FOLDER holds, from the start, `server.crt` and `server.key` (unless --tls none), and `behaviour`: a JSON object that is
read again whenever the file changes:

    {"user": "u", "password": "p",     AUTH is offered and demanded
     "auth": "GSSAPI PLAIN",           what AUTH offers, in place of LOGIN and PLAIN; others are refused
     "helo": "a.example",              any other name in EHLO is refused
     "utf8": true,                     SMTPUTF8 is offered
     "keep": false | "raw",            mails are counted (in the file `count`), and not looked at nor kept; or kept alone
     "refuse": {"a@b": "550 5.1.1 no"},      the answer to RCPT for an address
     "greeting" | "EHLO" | "STARTTLS" | "AUTH" | "MAIL" | "RCPT" | "DATA" | "body" | "QUIT": FAULT}

FAULT is an answer ("450 later"; with 421 the connection is closed), or one of: stall, slow (as it should be, after three
seconds), close, garbage (200 random bytes),
long (a line of 1 MB), flood (250- without end), hide and hide-auth (EHLO without STARTTLS or AUTH), reply-and-close. A fault may be an object
{"for": "a@b", "do": FAULT}: only where the mail is for that address.

It writes: `port` once it listens; `mails/<n>.eml` and `<n>.json` (envelope, and what Python's email package makes of the
mail) for each mail that it took; `lines`, each command with `clear` or `tls` before it. It ends with its standard input.
"""
import argparse
import asyncio
import email
import email.errors
import email.policy
import json
import os
import pathlib
import ssl
import sys
import threading

from aiosmtpd.smtp import SMTP, AuthResult, MISSING

parser = argparse.ArgumentParser()
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("--tls", choices=["starttls", "tls", "none"], default="starttls")
parser.add_argument("--address", default="127.0.0.1")
parser.add_argument("--check", action="store_true")
options = parser.parse_args()
folder = options.folder
(folder / "mails").mkdir(exist_ok=options.check)
lines = open(folder / "lines", "a", buffering=1, encoding="utf-8", errors="backslashreplace")
counts = {"connections": 0, "mails": 0}


class Behaviour:
    """The file, read again when it changes."""

    def __init__(self):
        self.stamp = None
        self.value = {}

    def get(self, key, default=None):
        stat = os.stat(folder / "behaviour")
        stamp = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if stamp != self.stamp:
            self.value = json.loads((folder / "behaviour").read_text(encoding="utf-8"))
            self.stamp = stamp
        return self.value.get(key, default)


behaviour = Behaviour()


def write(path, data):
    """Whole or not at all, for whoever reads meanwhile."""
    new = path.with_name(path.name + ".new")
    new.write_bytes(data)
    new.rename(path)


def describe(bytes_, utf8=False):
    """The mail as an independent library sees it; only with SMTPUTF8 its headers may go beyond ASCII (RFC 6532)."""
    mail = email.message_from_string(bytes_.decode(), policy=email.policy.SMTPUTF8) if utf8 else \
        email.message_from_bytes(bytes_, policy=email.policy.default)
    defects = []
    parts = []
    for part in mail.walk():
        defects += [repr(d) for d in part.defects]
        for value in part.values():
            defects += [repr(d) for d in getattr(value, "defects", [])
                        if not (utf8 and isinstance(d, email.errors.NonASCIILocalPartDefect))]
        if not part.is_multipart():
            content = part.get_content()
            parts.append({"type": part.get_content_type(), "file": part.get_filename() or "",
                          "disposition": part.get_content_disposition() or "",
                          "content": content if isinstance(content, str) else content.decode("latin-1")})
    lengths = [len(line) for line in bytes_.split(b"\r\n")]
    if max(lengths) > 998:
        defects.append("a line of more than 998 bytes")
    if b"\n" in bytes_.replace(b"\r\n", b"") or b"\r" in bytes_.replace(b"\r\n", b""):
        defects.append("a line end that is not CRLF")
    return {"headers": [[k, str(v)] for k, v in mail.items()], "parts": parts, "defects": defects,
            "shape": [part.get_content_type() for part in mail.walk()]}


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        answer = behaviour.get("refuse", {}).get(address)
        if answer:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        done, answer = await server.misbehave("body", " ".join(envelope.rcpt_tos))
        if done:
            return MISSING if answer is None else answer
        counts["mails"] += 1
        number = f"{counts['mails']:06}"
        content = envelope.original_content
        if behaviour.get("keep") is False:
            write(folder / "count", str(counts["mails"]).encode())
            return "250 OK"
        write(folder / "mails" / f"{number}.eml", content)
        if behaviour.get("keep") == "raw":
            return "250 OK"
        about = {"from": envelope.mail_from, "to": envelope.rcpt_tos, "options": envelope.mail_options,
                 "tls": session.ssl is not None or options.tls == "tls", "connection": server.number,
                 "user": session.auth_data if session.authenticated else "", **describe(content, envelope.smtp_utf8)}
        write(folder / "mails" / f"{number}.json", json.dumps(about).encode())
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    right = (data.login.decode(), data.password.decode()) == (behaviour.get("user"), behaviour.get("password"))
    return AuthResult(success=right, handled=True, auth_data=data.login.decode()) if right else \
        AuthResult(success=False, handled=False)


class Server(SMTP):
    """aiosmtpd's, with a fault before any of its steps."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        counts["connections"] += 1
        self.number = counts["connections"]
        self.greeted = False
        self.closes_after_next = False

    def raw(self, data):
        self._writer.write(data)

    async def misbehave(self, step, addressed=""):
        """(whether the step is done with, an answer that is still to be given)."""
        fault = behaviour.get(step)
        if isinstance(fault, dict):
            fault = fault["do"] if fault["for"] in addressed else None
        if fault is None or fault.startswith("hide"):
            return False, None
        if fault == "stall":
            await asyncio.sleep(3600)
        elif fault == "slow":
            await asyncio.sleep(3)
            return False, None
        elif fault == "close":
            self.transport.close()
        elif fault == "reply-and-close":
            self.closes_after_next = True
            return False, None
        elif fault == "garbage":
            self.raw(os.urandom(200).replace(b"\n", b"x") + b"\r\n")
            await asyncio.sleep(3600)
        elif fault == "long":
            self.raw(b"250 " + b"x" * 1_000_000 + b"\r\n")
        elif fault == "flood":
            while not self.transport.is_closing():
                self.raw((b"250-" + b"y" * 400 + b"\r\n") * 20)
                await self._writer.drain()
                await asyncio.sleep(0.001)
        elif fault[:3] == "421":
            self.closes_after_next = True
            return True, fault
        else:
            return True, fault
        return True, None

    async def push(self, status):
        if not self.greeted:
            self.greeted = True
            done, answer = await self.misbehave("greeting")
            if done and answer is None:
                return
            status = answer or status
        hidden = {"hide": "250-STARTTLS", "hide-auth": "250-AUTH"}.get(behaviour.get("EHLO"))
        if hidden and isinstance(status, str) and status.startswith(hidden):
            return
        if isinstance(status, str) and status.startswith("250-AUTH ") and behaviour.get("auth") is not None:
            status = "250-AUTH " + behaviour.get("auth")
        await super().push(status.encode() if isinstance(status, str) else status)  # aiosmtpd knows ASCII alone
        if self.closes_after_next:
            self.transport.close()

    async def step(self, name, original, arg):
        secure = options.tls == "tls" or self.session.ssl is not None
        shown = "" if name == "AUTH" else arg or ""
        lines.write(f"{'tls' if secure else 'clear'} {name} {shown}\n")
        addressed = (arg or "") if name == "RCPT" else " ".join(self.envelope.rcpt_tos)
        done, answer = await self.misbehave(name, addressed)
        if not done and name == "EHLO" and behaviour.get("helo") not in (None, arg):
            done, answer = True, "550 a name that is yours is asked for"
        if not done and name == "AUTH" and arg and arg.split()[0] not in behaviour.get("auth", "LOGIN PLAIN").split():
            done, answer = True, "504 5.5.4 not offered"
        if not done:
            await original(self, arg)
        elif answer is not None:
            await self.push(answer)


def with_faults(name):
    original = getattr(SMTP, "smtp_" + name)

    async def smtp(self, arg):
        await self.step(name, original, arg)

    return smtp


for verb in ("EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"):
    setattr(Server, "smtp_" + verb, with_faults(verb))


async def main():
    context = None
    if options.tls != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.crt", folder / "server.key")

    def factory():
        login = behaviour.get("user") is not None
        return Server(Handler(), hostname="smtp.test", timeout=3600, loop=asyncio.get_running_loop(),
                      enable_SMTPUTF8=bool(behaviour.get("utf8", False)),
                      tls_context=context if options.tls == "starttls" else None,
                      require_starttls=options.tls == "starttls",
                      authenticator=authenticate if login else None, auth_required=login,
                      auth_require_tls=options.tls == "starttls")

    loop = asyncio.get_running_loop()
    server = await loop.create_server(factory, options.address, 0, ssl=context if options.tls == "tls" else None)
    write(folder / "port", str(server.sockets[0].getsockname()[1]).encode())
    ended = asyncio.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), loop.call_soon_threadsafe(ended.set)), daemon=True).start()
    await ended.wait()
    server.close()


def check():
    paths = sorted((folder / "mails").glob("*.eml"))
    ids, readers, faulty = set(), set(), 0
    for path in paths:
        about = describe(path.read_bytes())
        headers = {name.lower(): value for name, value in about["headers"]}
        ids.add(headers["message-id"])
        readers.add(headers["to"])
        faulty += bool(about["defects"])
    print(json.dumps({"mails": len(paths), "ids": len(ids), "readers": len(readers), "faulty": faulty}))


if options.check:
    check()
    sys.exit(0)
asyncio.run(main())
os._exit(0)
