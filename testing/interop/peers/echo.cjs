// A TLS server that returns what it is sent: node echo.cjs OPTIONS, where OPTIONS is JSON for
// tls.createServer with the names of files for cert and key, and for ca if clients are asked for
// certificates; ticketKeys is in hexadecimal. With "remember", sessions are kept by their ids. Prints
// "port N" when it listens, then one line of JSON for each connection.
'use strict';
const fs = require('fs');
const tls = require('tls');

const options = JSON.parse(process.argv[2]);
for (const name of ['ca', 'cert', 'key']) {
  if (options[name]) options[name] = fs.readFileSync(options[name]);
}
if (options.ticketKeys) options.ticketKeys = Buffer.from(options.ticketKeys, 'hex');
const server = tls.createServer(options, (socket) => {
  console.log(JSON.stringify({
    protocol: socket.getProtocol(),
    cipher: socket.getCipher().standardName,
    alpn: socket.alpnProtocol,
    servername: socket.servername,
    reused: socket.isSessionReused(),
    exporter: socket.exportKeyingMaterial(32, 'EXPORTER-waxwing-interop').toString('hex'),
    client: socket.authorized ? socket.getPeerCertificate().subject.CN : null,
  }));
  socket.pipe(socket);
  socket.on('error', (error) => console.log(`error ${error.code}`));
});
if (options.remember) {
  const kept = new Map();
  server.on('newSession', (id, session, done) => {
    kept.set(id.toString('hex'), session);
    done();
  });
  server.on('resumeSession', (id, done) => done(null, kept.get(id.toString('hex')) || null));
}
server.on('tlsClientError', (error) => console.log(`refused ${error.code}`));
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
process.stdin.on('end', () => process.exit(0)).resume();
