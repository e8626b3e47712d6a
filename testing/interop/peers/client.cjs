// A TLS 1.3 client that returns what it is sent: node client.cjs PORT OPTIONS, where OPTIONS is
// JSON for tls.connect with the name of a file for ca. Prints one line of JSON about the
// connection, and "closed" after the server's close_notify.
'use strict';
const fs = require('fs');
const tls = require('tls');

const options = JSON.parse(process.argv[3]);
options.ca = fs.readFileSync(options.ca);
const socket = tls.connect({
  host: '127.0.0.1',
  port: Number(process.argv[2]),
  servername: 'localhost',
  minVersion: 'TLSv1.3',
  ...options,
}, () => {
  console.log(JSON.stringify({
    authorized: socket.authorized,
    protocol: socket.getProtocol(),
    cipher: socket.getCipher().standardName,
    alpn: socket.alpnProtocol,
    exporter: socket.exportKeyingMaterial(32, 'EXPORTER-waxwing-interop', Buffer.alloc(0))
      .toString('hex'),
  }));
});
socket.pipe(socket);
socket.on('end', () => console.log('closed'));
socket.on('error', (error) => {
  console.log(`error ${error.code}`);
  process.exit(1);
});
