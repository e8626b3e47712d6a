//! The examples that the help begins with.

pub(crate) const CERT: &str = "\
Examples:
  waxwing cert new localhost 127.0.0.1   a self-signed certificate
  waxwing cert ca                        an authority of your own, and then
  waxwing cert new --ca localhost        a certificate that all who trust it accept
  waxwing cert show example.org:443      what a server shows
  waxwing cert verify --at 2026-12-24 chain.pem
  waxwing cert match chain.pem key.pem

";

pub(crate) const NEW: &str = "\
Examples:
  waxwing cert new localhost 127.0.0.1 ::1
  waxwing cert new --ca '*.dev.internal' dev.internal
  waxwing cert new --ca=./ca --client me@example.org -o me.pem --key-out me.key
  waxwing cert new --key-type rsa2048 --days 90 old-client.example.org
  waxwing cert new --json localhost | jq -r .certificate_file

";

pub(crate) const CA: &str = "\
Examples:
  waxwing cert ca                        in the user's data folder, for `cert new --ca`
  waxwing cert ca --only-for localhost --only-for 127.0.0.1
  waxwing cert ca ./ca --name 'Team CA' --key-type p384 --passphrase-file pass.txt

";

pub(crate) const CSR: &str = "\
Examples:
  waxwing cert csr www.example.org example.org
  waxwing cert csr --must-staple --key-type rsa3072 www.example.org
  waxwing cert csr --key present.key -o renewal.csr www.example.org

";

pub(crate) const SHOW: &str = "\
Examples:
  waxwing cert show chain.pem
  waxwing cert show --json /etc/ssl/certs/*.pem | jq '.sources[].items[].not_after'
  waxwing cert show example.org:443 mail.example.org:993
  waxwing cert show --pem example.org:443 > chain.pem
  openssl s_client -showcerts … | waxwing cert show -

";

pub(crate) const VERIFY: &str = "\
Examples:
  waxwing cert verify chain.pem --name www.example.org
  waxwing cert verify --at 2027-01-01 chain.pem
  waxwing cert verify --ca ca.pem --ca-only --client me.pem
  waxwing cert verify --crl issuer.crl chain.pem
  waxwing cert verify --ocsp response.der --revocation soft chain.pem
  waxwing cert verify --json example.org:443 example.net:443

";

pub(crate) const MATCH: &str = "\
Examples:
  waxwing cert match chain.pem key.pem
  waxwing cert match request.csr key.pem

";
