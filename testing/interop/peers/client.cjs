// A TLS client that returns what it is sent: node client.cjs PORT OPTIONS, where OPTIONS is JSON
// for tls.connect with the names of files for ca, and for cert and key if the client has them.
// Prints one line of JSON about the connection, and "closed" after the server's close_notify.
'use strict';
const fs = require('fs');
const tls = require('tls');

const options = JSON.parse(process.argv[3]);
for (const name of ['ca', 'cert', 'key']) {
  if (options[name]) options[name] = fs.readFileSync(options[name]);
}
const socket = tls.connect({
  host: '127.0.0.1',
  port: Number(process.argv[2]),
  servername: 'localhost',
  ...options,
}, () => {
  console.log(JSON.stringify({
    authorized: socket.authorized,
    protocol: socket.getProtocol(),
    cipher: socket.getCipher().standardName,
    alpn: socket.alpnProtocol,
    exporter: socket.exportKeyingMaterial(32, 'EXPORTER-waxwing-interop').toString('hex'),
  }));
});
socket.pipe(socket);
socket.on('end', () => console.log('closed'));
socket.on('error', (error) => {
  console.log(`error ${error.code}`);
  process.exit(1);
});
