"""nginx with `ssl_verify_client on`, and a request to it.

Usage: nginx_server.py NGINX FOLDER
FOLDER as in python_server.py. Prints the status, and the client's subject as nginx saw it.
"""
import http.client
import os
import signal
import socket
import ssl
import subprocess
import sys
import time

nginx, folder = sys.argv[1], sys.argv[2]
with socket.create_server(("127.0.0.1", 0)) as probe:
    port = probe.getsockname()[1]

with open(folder + "/nginx.conf", "w", encoding="utf-8") as config:
    config.write(f"""
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;
    ssl_client_certificate {folder}/trust.pem; ssl_verify_client on; ssl_verify_depth 4;
    location / {{ return 200 "$ssl_client_verify $ssl_client_s_dn"; }}
  }}
}}
""")

context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
context.load_cert_chain(folder + "/client.pem", folder + "/client.key")
server = subprocess.Popen([nginx, "-p", folder, "-c", folder + "/nginx.conf"],
                          stderr=subprocess.STDOUT, stdout=subprocess.DEVNULL)
try:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.05)
    request = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=20)
    request.request("GET", "/")
    answer = request.getresponse()
    sys.stdout.reconfigure(encoding="utf-8")
    print(answer.status, answer.read().decode("utf-8", "replace"))
finally:
    os.kill(server.pid, signal.SIGTERM)
    server.wait(timeout=20)
