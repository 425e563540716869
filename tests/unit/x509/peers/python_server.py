"""A TLS server that demands a client certificate, and a client that has one.

Usage: python_server.py FOLDER TLS_VERSION
FOLDER holds trust.pem (the CA that the server trusts), server.pem, server.key, client.pem (the leaf first), client.key.
Prints `accepted` and the subject as the server saw it, or `refused` and why.
"""
import socket
import ssl
import sys
import threading

folder, version = sys.argv[1], getattr(ssl.TLSVersion, sys.argv[2])
outcome = []


def serve(listener):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.load_verify_locations(folder + "/trust.pem")
    context.load_cert_chain(folder + "/server.pem", folder + "/server.key")
    connection, _ = listener.accept()
    connection.settimeout(20)
    try:
        with context.wrap_socket(connection, server_side=True) as stream:
            subject = [value for rdn in stream.getpeercert()["subject"] for value in rdn]
            stream.sendall(b"hello")
            outcome.append("accepted " + ",".join("=".join(pair) for pair in subject))
    except (ssl.SSLError, OSError) as error:
        outcome.append("refused " + str(error))


with socket.create_server(("127.0.0.1", 0)) as listener:
    server = threading.Thread(target=serve, args=(listener,))
    server.start()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the client is what is judged here
    context.load_cert_chain(folder + "/client.pem", folder + "/client.key")
    try:
        with socket.create_connection(listener.getsockname(), timeout=20) as connection:
            with context.wrap_socket(connection) as stream:
                stream.recv(5)  # in TLS 1.3 the server judges after the client's handshake
    except (ssl.SSLError, OSError):
        pass
    server.join()

sys.stdout.reconfigure(encoding="utf-8")
print(outcome[0])
