"""Fetches a URL from a server that a certificate vouches for: fetch.py URL CA.

Prints "status sha256-of-the-body".
"""
import hashlib
import ssl
import sys
import urllib.request

context = ssl.create_default_context(cafile=sys.argv[2])
opener = urllib.request.build_opener(
    urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
)
with opener.open(sys.argv[1]) as response:
    print(response.status, hashlib.sha256(response.read()).hexdigest())
