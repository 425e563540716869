#!/usr/bin/env python3
"""A TLS peer that demands a client certificate of a CA, and a client that calls it again and again with what a Secret holds.

    tls_peer.py --server https://127.0.0.1:6443 --ca FILE --token-file FILE --namespace NS --secret NAME --out FILE

Each 100 ms it reads the Secret from the API server, and calls the peer with tls.crt and tls.key as they stand there. The
peer trusts the ca.crt that the Secret held first, and nothing else, and compares the subject with the first certificate's.
With --url and --url-ca it calls an HTTPS server that is there already instead, and wants an answer of 200.
After each call it writes {"calls": n, "refused": n, "fingerprints": n, "errors": [...]} to FILE; it leaves when its standard
input ends.
"""
import argparse
import base64
import hashlib
import json
import os
import pathlib
import socket
import ssl
import sys
import tempfile
import threading
import time
import urllib.request

parser = argparse.ArgumentParser()
for name in ("--server", "--ca", "--token-file", "--namespace", "--secret", "--out"):
    parser.add_argument(name, required=True)
for name in ("--url", "--url-ca"):
    parser.add_argument(name)
options = parser.parse_args()
api = ssl.create_default_context(cafile=options.ca)
folder = pathlib.Path(tempfile.mkdtemp())
stop = threading.Event()
result = {"calls": 0, "refused": 0, "fingerprints": 0, "errors": []}


def read_secret():
    url = f"{options.server}/api/v1/namespaces/{options.namespace}/secrets/{options.secret}"
    token = pathlib.Path(options.token_file).read_text().strip()
    request = urllib.request.Request(url, headers={"Authorization": "Bearer " + token})
    with urllib.request.urlopen(request, context=api, timeout=10) as answer:
        return {k: base64.b64decode(v) for k, v in json.load(answer)["data"].items()}


def write(name, content):
    path = folder / name
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return str(path)


def serve(listener, context, subject):
    while not stop.is_set():
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        try:
            with context.wrap_socket(plain, server_side=True) as peer:
                known = peer.getpeercert()["subject"] == subject
                peer.recv(4)
                peer.sendall(b"OK" if known else b"NO")
        except (OSError, ssl.SSLError):
            plain.close()


def call(port, secret):
    context = ssl.create_default_context(cafile=options.url_ca or str(folder / "server.crt"))
    context.load_cert_chain(write("client.crt", secret["tls.crt"]), write("client.key", secret["tls.key"]))
    if options.url:
        with urllib.request.urlopen(options.url, context=context, timeout=10) as answer:
            answer.read()
        return
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as peer:
            peer.sendall(b"ping")
            if peer.recv(2) != b"OK":  # TLS 1.3: only an answer proves that the certificate was accepted
                raise OSError("another subject")


def tell(fingerprints):
    """Whoever reads the file meanwhile sees all of the old or all of the new."""
    result["fingerprints"] = fingerprints
    new = pathlib.Path(options.out + ".new")
    new.write_text(json.dumps(result))
    new.rename(options.out)


def main():
    # The peer's own certificate: any will do, made by openssl.
    os.system(f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost "
              f"-addext subjectAltName=DNS:localhost -keyout {folder}/server.key -out {folder}/server.crt 2>/dev/null")
    first = read_secret()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=first["ca.crt"].decode())
    subject = ssl._ssl._test_decode_cert(write("first.crt", first["tls.crt"]))["subject"]
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, args=(listener, context, subject), daemon=True).start()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    seen = set()
    while not stop.is_set():
        try:
            secret = read_secret()
        except OSError as error:
            result["errors"] = (result["errors"] + [f"the API server: {error}"])[-5:]
            continue
        seen.add(hashlib.sha256(secret["tls.crt"]).hexdigest())
        result["calls"] += 1
        try:
            call(listener.getsockname()[1], secret)
        except (OSError, ssl.SSLError) as error:
            result["refused"] += 1
            result["errors"] = (result["errors"] + [str(error)])[-5:]
        tell(len(seen))
        time.sleep(0.1)
    tell(len(seen))
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


main()
