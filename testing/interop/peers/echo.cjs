// A TLS server that returns what it is sent: node echo.cjs OPTIONS, where OPTIONS is JSON for
// tls.createServer with the names of files for cert and key, and for ca if clients are asked for
// certificates. Prints "port N" when it listens, then one line of JSON for each connection.
'use strict';
const fs = require('fs');
const tls = require('tls');

const options = JSON.parse(process.argv[2]);
for (const name of ['ca', 'cert', 'key']) {
  if (options[name]) options[name] = fs.readFileSync(options[name]);
}
const server = tls.createServer(options, (socket) => {
  console.log(JSON.stringify({
    protocol: socket.getProtocol(),
    cipher: socket.getCipher().standardName,
    alpn: socket.alpnProtocol,
    servername: socket.servername,
    exporter: socket.exportKeyingMaterial(32, 'EXPORTER-waxwing-interop').toString('hex'),
    client: socket.authorized ? socket.getPeerCertificate().subject.CN : null,
  }));
  socket.pipe(socket);
  socket.on('error', (error) => console.log(`error ${error.code}`));
});
server.on('tlsClientError', (error) => console.log(`refused ${error.code}`));
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
process.stdin.on('end', () => process.exit(0)).resume();
