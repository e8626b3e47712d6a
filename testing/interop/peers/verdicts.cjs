// What Node thinks of chains. The file named as argument holds a list of
// {"cert", "key", "ca", "host"}; one line is printed for each: its authorizationError.
'use strict';
const fs = require('fs');
const net = require('net');
const tls = require('tls');

const cases = JSON.parse(fs.readFileSync(process.argv[2]));

function ask({ cert, key, ca, host }) {
  return new Promise((resolve) => {
    const server = tls.createServer({ cert, key });
    server.on('tlsClientError', () => {});
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      const finish = (answer) => {
        socket.destroy();
        server.close();
        resolve(answer);
      };
      const plain = net.connect(port, '127.0.0.1');
      const socket = tls.connect({ socket: plain, host, ca, rejectUnauthorized: false });
      socket.on('secureConnect', () => finish(String(socket.authorizationError)));
      socket.on('error', (error) => finish(`failed: ${error.code}`));
    });
  });
}

(async () => {
  for (const one of cases) console.log(await ask(one));
})();
