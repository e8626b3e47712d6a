"""A peer of tlslite-ng that returns what it is sent, over TLS 1.3 and one connection.

python3 tlslite.py FOLDER ROLE OPTIONS: where its packages are, "server" or "client", and JSON
with "cert" and "key" (names of files; a client shows them if it is asked), "compress" and
"decompress" (names of algorithms), "ask" (whether a server asks for a certificate) and "port" (of
a client's server). A server prints "port N" when it listens. Prints one line of JSON about how the
certificates of each side came.
"""
import json
import socket
import sys

sys.path.insert(0, sys.argv[1])
from tlslite.api import HandshakeSettings, TLSConnection, X509CertChain, parsePEMKey

options = json.loads(sys.argv[3])
settings = HandshakeSettings()
settings.minVersion = (3, 4)
settings.certificate_compression_send = options["compress"]
settings.certificate_compression_receive = options["decompress"]
with open(options["cert"]) as file:
    chain = X509CertChain()
    chain.parsePemList(file.read())
with open(options["key"]) as file:
    key = parsePEMKey(file.read(), private=True)

if sys.argv[2] == "server":
    listener = socket.create_server(("127.0.0.1", 0))
    print("port", listener.getsockname()[1], flush=True)
    connection = TLSConnection(listener.accept()[0])
    connection.handshakeServer(certChain=chain, privateKey=key, settings=settings,
                               reqCert=options.get("ask", False))
else:
    connection = TLSConnection(socket.create_connection(("127.0.0.1", options["port"])))
    connection.handshakeClientCert(chain, key, settings=settings, serverName="localhost")
print(json.dumps({"server": connection.server_cert_compression_algo,
                  "client": connection.client_cert_compression_algo}), flush=True)
while data := connection.read(max=65536):
    connection.write(data)
connection.close()
print("closed", flush=True)
