"""A TLS server that returns what it is sent: echo.py CHAIN KEY ALPN [ANCHOR MODE].

With ANCHOR clients are asked for a certificate; MODE is CERT_OPTIONAL or CERT_REQUIRED. Prints
"port N" when it listens; for each connection what was agreed, the name in the client's
certificate, and then how it ended.
"""
import socket
import ssl
import sys

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
context.set_alpn_protocols([sys.argv[3]])
if len(sys.argv) > 4:
    context.load_verify_locations(sys.argv[4])
    context.verify_mode = ssl.VerifyMode[sys.argv[5]]
names = []
context.sni_callback = lambda connection, name, context: names.append(name)


def client(tls):
    """The common name in the client's certificate."""
    fields = dict(pair for part in (tls.getpeercert() or {}).get("subject", ()) for pair in part)
    return fields.get("commonName")


listener = socket.create_server(("127.0.0.1", 0))
print("port", listener.getsockname()[1], flush=True)
while True:
    plain, _ = listener.accept()
    try:
        with context.wrap_socket(plain, server_side=True, suppress_ragged_eofs=False) as tls:
            print(tls.version(), tls.cipher()[0], tls.selected_alpn_protocol(), names[-1],
                  client(tls), flush=True)
            while data := tls.recv(65536):
                tls.sendall(data)
            tls.unwrap()
            print("closed", flush=True)
    except (ssl.SSLError, OSError) as error:
        print("error", getattr(error, "reason", error), flush=True)
