// A web server for HTTP/1.1 and HTTP/2: node web.cjs OPTIONS, as for echo.cjs. Its answer is the
// HTTP version, the method and the body of the request.
'use strict';
const fs = require('fs');
const http2 = require('http2');

const options = JSON.parse(process.argv[2]);
options.cert = fs.readFileSync(options.cert);
options.key = fs.readFileSync(options.key);
const server = http2.createSecureServer({ allowHTTP1: true, ...options }, (request, response) => {
  response.write(`${request.httpVersion} ${request.method} ${request.socket.getProtocol()}\n`);
  request.pipe(response);
});
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
