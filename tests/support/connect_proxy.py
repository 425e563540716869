#!/usr/bin/env python3
"""An HTTP proxy on loopback that tunnels (CONNECT, RFC 9110), and nothing else.

Prints its port, then the first line of each request. Ends with its standard input.
"""
import socket
import sys
import threading


def pump(source, sink):
    try:
        while block := source.recv(65536):
            sink.sendall(block)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(client):
    head = b""
    while b"\r\n\r\n" not in head:
        block = client.recv(4096)
        if not block:
            return
        head += block
    line = head.split(b"\r\n")[0].decode()
    print(line, flush=True)
    host, port = line.split()[1].rsplit(":", 1)
    server = socket.create_connection((host, int(port)), timeout=10)
    server.settimeout(None)
    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    threading.Thread(target=pump, args=(client, server), daemon=True).start()
    pump(server, client)


def accept(listener):
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


proxy = socket.create_server(("127.0.0.1", 0))
print(proxy.getsockname()[1], flush=True)
threading.Thread(target=accept, args=(proxy,), daemon=True).start()
sys.stdin.read()
