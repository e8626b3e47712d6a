// Connects to localhost and prints the chain that it was shown, as Node has it: node chain.cjs
// PORT CA, where CA is the file of the authority. One line of the certificate in hexadecimal for
// each, and then "end".
'use strict';
const fs = require('fs');
const tls = require('tls');

const [port, ca] = process.argv.slice(2);
const socket = tls.connect({
  host: '127.0.0.1', port: Number(port), servername: 'localhost', ca: fs.readFileSync(ca),
}, () => {
  let certificate = socket.getPeerCertificate(true);
  for (;;) {
    console.log(certificate.raw.toString('hex'));
    const issuer = certificate.issuerCertificate;
    if (!issuer || issuer === certificate) break;
    certificate = issuer;
  }
  console.log('end');
});
socket.on('error', (error) => {
  console.log(`error ${error.code}`);
  process.exit(1);
});
