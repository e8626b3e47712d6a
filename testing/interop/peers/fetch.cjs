// Fetches URL from a server that CA vouches for, by https and by http2: node fetch.cjs URL CA.
// Prints for each "HTTP-version status sha256-of-the-body".
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const http2 = require('http2');
const https = require('https');

const url = new URL(process.argv[2]);
const ca = fs.readFileSync(process.argv[3]);
const digest = (stream, then) => {
  const hash = crypto.createHash('sha256');
  stream.on('data', (data) => hash.update(data)).on('end', () => then(hash.digest('hex')));
};

https.get(url, { ca }, (response) => {
  digest(response, (hash) => {
    console.log(`${response.httpVersion} ${response.statusCode} ${hash}`);
    const session = http2.connect(url, { ca });
    const stream = session.request({ ':path': url.pathname });
    let status;
    stream.on('response', (headers) => { status = headers[':status']; });
    digest(stream, (hash) => {
      console.log(`${session.alpnProtocol} ${status} ${hash}`);
      session.close();
    });
  });
});
