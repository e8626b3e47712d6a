"""A TLS client that returns what it is sent: client.py PORT ANCHOR ALPN [CHAIN KEY].

Prints what was agreed, and then how it ended.
"""
import socket
import ssl
import sys

context = ssl.create_default_context(cafile=sys.argv[2])
context.set_alpn_protocols([sys.argv[3]])
if len(sys.argv) > 4:
    context.load_cert_chain(sys.argv[4], sys.argv[5])
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
