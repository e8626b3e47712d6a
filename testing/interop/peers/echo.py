"""A TLS 1.3 server that returns what it is sent: echo.py CHAIN KEY ALPN.

Prints "port N" when it listens; for each connection what was agreed, and then how it ended.
"""
import socket
import ssl
import sys

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.minimum_version = ssl.TLSVersion.TLSv1_3
context.load_cert_chain(sys.argv[1], sys.argv[2])
context.set_alpn_protocols([sys.argv[3]])
names = []
context.sni_callback = lambda connection, name, context: names.append(name)

listener = socket.create_server(("127.0.0.1", 0))
print("port", listener.getsockname()[1], flush=True)
while True:
    plain, _ = listener.accept()
    try:
        with context.wrap_socket(plain, server_side=True, suppress_ragged_eofs=False) as tls:
            print(tls.version(), tls.cipher()[0], tls.selected_alpn_protocol(), names[-1],
                  flush=True)
            while data := tls.recv(65536):
                tls.sendall(data)
            tls.unwrap()
            print("closed", flush=True)
    except (ssl.SSLError, OSError) as error:
        print("error", getattr(error, "reason", error), flush=True)
