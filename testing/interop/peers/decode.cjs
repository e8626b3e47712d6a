// Decodes the certificates in the PEM file CERTIFICATES: node decode.cjs CERTIFICATES. Prints for
// each a line of JSON: what tls.TLSSocket.getPeerCertificate would say, with bytes in hexadecimal.
'use strict';
const { X509Certificate } = require('crypto');
const fs = require('fs');

const text = fs.readFileSync(process.argv[2], 'latin1');
for (const pem of text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)) {
  const decoded = new X509Certificate(pem).toLegacyObject();
  for (const name of ['raw', 'pubkey']) {
    if (decoded[name]) decoded[name] = decoded[name].toString('hex');
  }
  console.log(JSON.stringify(decoded));
}
