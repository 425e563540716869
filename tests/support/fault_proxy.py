#!/usr/bin/env python3
"""A proxy between the operator and a real API server, for faults that must be forced.

    fault_proxy.py --server https://127.0.0.1:6443 --ca FILE --token-file FILE --ports DIR

It listens in plain HTTP on two free loopback ports, written to DIR/port and DIR/control once they are open. What comes in
on the first goes to the API server, with the administrator's token put in place of the caller's; watches are passed on
as they come. The second takes one command a connection, a line of JSON, and answers with one:

    {"do": "reset"}                                      forget rules and counts
    {"do": "rule", "verb": "PATCH", "path": "secrets",   the next `times` requests that fit are answered so: `status`, or
     "status": 500, "times": 3, "retry_after": 1}        `cut` (the answer breaks off in its middle), or `lose` (it is carried
                                                         out, and the connection closed without an answer); with
                                                         "after": n, the first n that fit pass
    {"do": "away", "away": true}                         refuse every connection, and cut those that are open
    {"do": "kill_after_writes", "pid": 1, "writes": 3}   SIGKILL that process once its n-th write was carried out
    {"do": "counts"}                                     {"writes": n, "by_path": {...}}

A rule's `verb` is the HTTP method, its `path` a part of the path; leave either out to fit all. Only loopback; it ends
with its parent (it watches its standard input).
"""
import argparse
import http.client
import http.server
import json
import os
import pathlib
import signal
import socket
import socketserver
import ssl
import sys
import threading
import urllib.parse

WRITES = {"POST", "PUT", "PATCH", "DELETE"}
HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "authorization", "host"}


class State:
    """What the test wants. Guarded by its lock."""

    def __init__(self):
        self.lock = threading.Lock()
        self.reset()

    def reset(self):
        self.rules = []
        self.away = False
        self.writes = 0
        self.by_path = {}
        self.kill = None
        self.open = set()

    def command(self, order):
        with self.lock:
            do = order.pop("do")
            if do == "reset":
                self.reset()
            elif do == "rule":
                self.rules.append({"times": 1, **order})
            elif do == "away":
                self.away = order["away"]
                for connection in list(self.open) if self.away else []:
                    try:
                        connection.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass
            elif do == "kill_after_writes":
                self.writes = 0
                self.kill = (order["pid"], order["writes"])
            elif do == "counts":
                return {"writes": self.writes, "by_path": dict(self.by_path)}
            else:
                return {"error": f"no such command: {do}"}
            return {}

    def rule_for(self, method, path):
        with self.lock:
            for rule in self.rules:
                if rule["times"] > 0 and rule.get("verb", method) == method and rule.get("path", "") in path:
                    if rule.get("after", 0) > 0:
                        rule["after"] -= 1
                        continue
                    rule["times"] -= 1
                    return dict(rule)
        return None

    def carried_out(self, method, path):
        """A write has reached the API server and was answered there. Leases and Events do not count."""
        if method not in WRITES or "/leases" in path or "/events" in path:
            return
        with self.lock:
            self.writes += 1
            key = f"{method} {path.split('?')[0]}"
            self.by_path[key] = self.by_path.get(key, 0) + 1
            if self.kill and self.writes == self.kill[1]:
                try:
                    os.kill(self.kill[0], signal.SIGKILL)
                except ProcessLookupError:
                    pass


STATE = State()
OPTIONS = None
TLS = None


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        with STATE.lock:
            STATE.open.add(self.connection)

    def finish(self):
        with STATE.lock:
            STATE.open.discard(self.connection)
        try:
            super().finish()
        except OSError:
            pass

    def log_message(self, *_):
        pass

    def drop(self):
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with STATE.lock:
            away = STATE.away
        if away:
            return self.drop()
        rule = STATE.rule_for(self.command, self.path)
        if rule and "status" in rule:
            return self.answer_with(rule)
        server = urllib.parse.urlsplit(OPTIONS.server)
        upstream = http.client.HTTPSConnection(server.hostname, server.port, context=TLS, timeout=700)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP}
        headers["Authorization"] = "Bearer " + pathlib.Path(OPTIONS.token_file).read_text().strip()
        try:
            upstream.request(self.command, self.path, body or None, headers)
            answer = upstream.getresponse()
            if "watch=" in self.path and answer.status == 200:
                return self.pass_stream(upstream, answer, rule)
            content = answer.read()
        except OSError:
            return self.drop()
        finally:
            upstream.close()
        STATE.carried_out(self.command, self.path)
        if rule and rule.get("lose"):
            return self.drop()
        self.send_response(answer.status)
        for name in ("Content-Type", "Retry-After"):
            if answer.getheader(name):
                self.send_header(name, answer.getheader(name))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if rule and rule.get("cut"):
            self.wfile.write(content[: len(content) // 2])
            return self.drop()
        self.wfile.write(content)

    def answer_with(self, rule):
        message = json.dumps({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": rule["status"],
                              "reason": rule.get("reason", ""), "message": "forced by a test"}).encode()
        self.send_response(rule["status"])
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(message)))
        if "retry_after" in rule:
            self.send_header("Retry-After", str(rule["retry_after"]))
        self.end_headers()
        self.wfile.write(message)

    def pass_stream(self, upstream, answer, rule):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.close_connection = True
        try:
            while line := answer.readline():
                if rule and rule.get("cut"):
                    line = line[: len(line) // 2]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                self.wfile.flush()
                if rule and rule.get("cut"):
                    return self.drop()
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            pass
        finally:
            upstream.close()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve


class Control(socketserver.StreamRequestHandler):
    def handle(self):
        order = json.loads(self.rfile.readline())
        self.wfile.write(json.dumps(STATE.command(order)).encode() + b"\n")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass


class ControlServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


def main():
    global OPTIONS, TLS
    parser = argparse.ArgumentParser()
    for name in ("--server", "--ca", "--token-file", "--ports"):
        parser.add_argument(name, required=True)
    OPTIONS = parser.parse_args()
    TLS = ssl.create_default_context(cafile=OPTIONS.ca)
    proxy = Server(("127.0.0.1", 0), Proxy)
    control = ControlServer(("127.0.0.1", 0), Control)
    for server, name in ((proxy, "port"), (control, "control")):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        path = pathlib.Path(OPTIONS.ports) / name
        path.with_suffix(".new").write_text(str(server.server_address[1]))
        path.with_suffix(".new").rename(path)
    sys.stdin.read()


if __name__ == "__main__":
    main()
