// Makes ML-DSA keys: node mldsa.cjs. Prints for each "kind PKCS#8 SubjectPublicKeyInfo", both in
// hexadecimal.
'use strict';
const { generateKeyPairSync } = require('crypto');

for (const kind of ['ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87']) {
  const { privateKey, publicKey } = generateKeyPairSync(kind);
  const secret = privateKey.export({ format: 'der', type: 'pkcs8' }).toString('hex');
  const spki = publicKey.export({ format: 'der', type: 'spki' }).toString('hex');
  console.log(`${kind} ${secret} ${spki}`);
}
