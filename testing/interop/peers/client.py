"""A TLS 1.3 client that returns what it is sent: client.py PORT ANCHOR ALPN.

Prints what was agreed, and then how it ended.
"""
import socket
import ssl
import sys

context = ssl.create_default_context(cafile=sys.argv[2])
context.minimum_version = ssl.TLSVersion.TLSv1_3
context.set_alpn_protocols([sys.argv[3]])
plain = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
try:
    with context.wrap_socket(
        plain, server_hostname="localhost", suppress_ragged_eofs=False
    ) as tls:
        print(tls.version(), tls.cipher()[0], tls.selected_alpn_protocol(), flush=True)
        while data := tls.recv(65536):
            tls.sendall(data)
        tls.unwrap()
        print("closed", flush=True)
except (ssl.SSLError, OSError) as error:
    print("error", getattr(error, "reason", error), flush=True)
