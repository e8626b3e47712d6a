// A TLS client that comes back: node resume.cjs PORT OPTIONS, where OPTIONS is JSON for tls.connect
// with the name of a file for ca, and "times" to connect. Each connection shows the last session of
// the one before, and ends with the first thing that the server says. Prints a line of JSON for each.
'use strict';
const fs = require('fs');
const tls = require('tls');

const { times, ...options } = JSON.parse(process.argv[3]);
options.ca = fs.readFileSync(options.ca);
let session;
const connect = (left) => {
  if (left === 0) return;
  const socket = tls.connect({
    host: '127.0.0.1',
    port: Number(process.argv[2]),
    servername: 'localhost',
    session,
    ...options,
  });
  socket.on('session', (data) => { session = data; });
  socket.once('data', (data) => {
    console.log(JSON.stringify({
      protocol: socket.getProtocol(),
      reused: socket.isSessionReused(),
      authorized: socket.authorized,
      heard: data.toString(),
    }));
    socket.end();
  });
  socket.on('close', () => connect(left - 1));
  socket.on('error', (error) => {
    console.log(`error ${error.code}`);
    process.exit(1);
  });
};
connect(times);
