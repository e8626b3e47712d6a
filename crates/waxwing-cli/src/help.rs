//! Texts of the help that are not about a single option.

/// Examples come first: most readers need nothing else.
pub(crate) const TEMPLATE: &str = "\
{about-with-newline}
{before-help}{usage-heading} {usage}

{all-args}{after-help}
";

/// Those of the program.
pub(crate) const EXAMPLES: &str = "\
Examples:
  waxwing serve                          serve this folder on https://localhost:8443/
  waxwing serve --to http://127.0.0.1:3000
                                         put TLS in front of a local web server
  waxwing get -v https://example.org/    fetch a page and show the handshake
  waxwing get tls://example.org:993      talk to a TLS server through stdin and stdout
  waxwing cert new localhost             make a certificate
  waxwing cert show example.org:443      look at one

";

pub(crate) const SERVE_EXAMPLES: &str = "\
Examples:
  waxwing serve                          this folder on https://localhost:8443/
  waxwing serve site --listen 0.0.0.0:443 --cert chain.pem --key key.pem
  waxwing serve --cert chain.pem --key key.pem --passphrase-file pass.txt
  waxwing serve --san dev.internal --san 10.0.0.5 --key-type ml-dsa-65
  waxwing serve --to http://127.0.0.1:3000
                                         a reverse proxy that ends TLS
  waxwing serve --client-ca staff.pem    for those with a certificate issued by staff.pem
  waxwing serve --echo --alpn imap       send back whatever arrives
  waxwing serve --listen 127.0.0.1:0 --json
                                         any free port; one line of JSON says which

";

pub(crate) const GET_EXAMPLES: &str = "\
Examples:
  waxwing get https://example.org/       the page, on stdout
  waxwing get -v -o page.html https://example.org/
                                         into a file, and show the handshake
  waxwing get --pin sha256/BASE64= https://localhost:8443/
                                         trust one key, whoever issued it
  waxwing get --cert me.pem --key me.key https://intra.example.org/
                                         show a certificate if the server asks for one
  waxwing get -v --max-version 1.2 https://example.org/
                                         see whether it still speaks TLS 1.2
  waxwing get --json https://example.org/ | jq .connection
  waxwing get --groups x25519 --trace trace.jsonl https://example.org/
  echo QUIT | waxwing get tls://mail.example.org:465

";

pub(crate) const EXIT_CODES: &str = "\
What the exit codes mean. They are a promise to scripts and never change.

   0  good
   1  the thing that was checked is bad: with `get --fail`, a status of 400 or more; with
      `cert match`, a key that does not belong to the certificate
   2  usage: an argument is wrong, or a file or folder that it names cannot be used
   3  network: a name does not resolve, a server cannot be reached, a port is in use
   4  TLS or the protocol inside it failed, or data was cut off before its end
   5  the certificate is not trusted: issuer, name, dates or pin
   6  the certificate is revoked
  70  a fault in waxwing itself; please report it

Where several things are looked at, as `cert show` and `cert verify` can, it is the highest of
their codes.";

pub(crate) const ENVIRONMENT: &str = "\
The environment variables that are heeded.

  SSL_CERT_FILE, SSL_CERT_DIR
      The authorities to trust, instead of the system's store.
  SSLKEYLOGFILE
      A file that receives the secrets of every connection (RFC 9850), so that a packet
      analyser can read them. Each use is announced on stderr. Same as --keylog.
  NO_COLOR, CLICOLOR, CLICOLOR_FORCE
      Whether text has colours, where --color does not say.
  XDG_DATA_HOME
      Its folder waxwing/ca has the authority of `cert ca`; ~/.local/share unless set.
  XDG_RUNTIME_DIR
      Where `serve` puts the certificate that it made, until it ends.";
