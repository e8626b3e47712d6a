// A TLS 1.3 server that returns what it is sent: node echo.cjs OPTIONS, where OPTIONS is JSON for
// tls.createServer with the names of files for cert and key. Prints "port N" when it listens,
// then one line of JSON for each connection.
'use strict';
const fs = require('fs');
const tls = require('tls');

const options = JSON.parse(process.argv[2]);
options.cert = fs.readFileSync(options.cert);
options.key = fs.readFileSync(options.key);
const server = tls.createServer({ minVersion: 'TLSv1.3', ...options }, (socket) => {
  console.log(JSON.stringify({
    protocol: socket.getProtocol(),
    cipher: socket.getCipher().standardName,
    alpn: socket.alpnProtocol,
    servername: socket.servername,
    exporter: socket.exportKeyingMaterial(32, 'EXPORTER-waxwing-interop', Buffer.alloc(0))
      .toString('hex'),
  }));
  socket.pipe(socket);
  socket.on('error', (error) => console.log(`error ${error.code}`));
});
server.on('tlsClientError', (error) => console.log(`refused ${error.code}`));
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
process.stdin.on('end', () => process.exit(0)).resume();
