//! Loading chains and private keys.

use std::fs;
use std::path::Path;
use std::process::Command;

use waxwing_aws_lc::PROVIDER;
use waxwing_core::CertifiedKey;
use waxwing_pki::{
    KeyLoading, KeyType, LoadError, Passphrase, PublicKeyKind, encrypt_private_key,
    load_certified_key, load_certified_key_files, load_private_key, to_pem,
};
use waxwing_testkit::pki::{self, Case};

fn load(chain: &[u8], key: &[u8]) -> Result<CertifiedKey, LoadError> {
    load_certified_key(&PROVIDER, chain, key)
}

/// Runs openssl; `None`, with a note, where it is not installed or lacks what was asked.
fn openssl(dir: &Path, arguments: &str) -> Option<Vec<u8>> {
    let command = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(dir)
        .output();
    match command {
        Ok(output) if output.status.success() => Some(output.stdout),
        Ok(output) => {
            panic!(
                "openssl {arguments}: {}",
                String::from_utf8_lossy(&output.stderr)
            )
        }
        Err(error) => {
            eprintln!("skipped: openssl cannot be run ({error})");
            None
        }
    }
}

#[test]
fn every_kind_of_key_loads_from_pem_and_der_with_its_chain() {
    for key_type in KeyType::ALL {
        let credentials = pki::credentials(Case::Good(key_type));
        let (chain, key) = (credentials.chain_pem(), credentials.key_pem());
        let crlf = |text: &str| text.replace('\n', "\r\n");
        let noisy = format!("\u{feff}{key}Bag Attributes\n  friendlyName: x\n{chain}");
        let variants: [(&[u8], &[u8]); 4] = [
            (chain.as_bytes(), key.as_bytes()),
            (&crlf(&chain).into_bytes(), &crlf(&key).into_bytes()),
            (noisy.as_bytes(), noisy.as_bytes()),
            (chain.as_bytes(), &credentials.key),
        ];
        for (chain, key) in variants {
            let loaded = load(chain, key).unwrap();
            assert_eq!(loaded.chain(), credentials.chain, "{key_type}");
        }
        let loaded = load(credentials.leaf(), &credentials.key).unwrap();
        assert_eq!(loaded.chain(), [credentials.leaf()], "{key_type}");
    }
}

#[test]
fn the_older_forms_of_openssl_load_too() {
    let dir = tempfile::tempdir().unwrap();
    let forms = [
        "ecparam -name prime256v1 -genkey -out key.pem",
        "ecparam -name secp384r1 -genkey -noout -out key.pem",
        "genrsa -traditional -out key.pem 2048",
        "genpkey -algorithm ed25519 -out key.pem",
        "genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-521 -out key.pem",
    ];
    for form in forms {
        if openssl(dir.path(), form).is_none() {
            return;
        }
        let pem = fs::read(dir.path().join("key.pem")).unwrap();
        let public = openssl(dir.path(), "pkey -in key.pem -pubout -outform DER").unwrap();
        let key = load_private_key(&PROVIDER, &pem).expect(form);
        assert_eq!(key.public_key().unwrap(), public, "{form}");
    }
    for (make, convert) in [
        (
            "genrsa -traditional -out key.pem 2048",
            "rsa -in key.pem -traditional -outform DER",
        ),
        (
            "ecparam -name prime256v1 -genkey -out key.pem",
            "ec -in key.pem -outform DER",
        ),
    ] {
        openssl(dir.path(), make);
        let der = openssl(dir.path(), convert).unwrap();
        let public = openssl(dir.path(), "pkey -in key.pem -pubout -outform DER").unwrap();
        let key = load_private_key(&PROVIDER, &der).expect(convert);
        assert_eq!(key.public_key().unwrap(), public, "{convert}");
    }
}

/// The public key of `key.pem` in `dir`.
fn public(dir: &Path) -> Vec<u8> {
    openssl(dir, "pkey -in key.pem -pubout -outform DER").unwrap()
}

#[test]
fn encrypted_keys_open_with_their_passphrase() {
    let dir = tempfile::tempdir().unwrap();
    let passphrase = Passphrase::from("x");
    for key_type in [KeyType::P256, KeyType::Ed25519, KeyType::Rsa2048] {
        let key = pki::credentials(Case::Good(key_type)).key_pem();
        fs::write(dir.path().join("key.pem"), &key).unwrap();
        let scheme = [
            "-v2 aes-128-cbc",
            "-v2 aes-192-cbc -v2prf hmacWithSHA512",
            "-v2 aes-256-cbc -v2prf hmacWithSHA1 -iter 100000",
            "-v2 des3",
            "-v2 aes256 -v2prf hmacWithSHA384 -saltlen 8",
            "-scrypt",
            "-scrypt -scrypt_N 1024 -scrypt_r 1 -scrypt_p 4",
        ];
        let forms = scheme
            .iter()
            .flat_map(|scheme| ["PEM", "DER"].map(|form| format!("{scheme} -outform {form}")));
        for form in forms {
            let encrypt = format!("pkcs8 -topk8 -in key.pem -out encrypted -passout pass:x {form}");
            // Salts of other lengths are asked for by newer versions only.
            if form.contains("-saltlen") && !has_option(dir.path(), "saltlen") {
                continue;
            }
            if openssl(dir.path(), &encrypt).is_none() {
                return;
            }
            let encrypted = fs::read(dir.path().join("encrypted")).unwrap();
            let loading = KeyLoading::new(&PROVIDER);
            let opened = loading.passphrase(&passphrase).private_key(&encrypted);
            let opened = opened.unwrap_or_else(|error| panic!("{form}: {error}"));
            assert_eq!(opened.public_key().unwrap(), public(dir.path()), "{form}");
            let closed = loading.private_key(&encrypted).unwrap_err();
            assert_eq!(closed, LoadError::EncryptedKey, "{form}");
            for wrong in ["", "X", "xx"] {
                let wrong = Passphrase::from(wrong);
                let error = loading.passphrase(&wrong).private_key(&encrypted);
                assert_eq!(error.unwrap_err(), LoadError::WrongPassphrase, "{form}");
            }
        }
    }
}

fn has_option(dir: &Path, option: &str) -> bool {
    let help = Command::new("openssl")
        .args(["pkcs8", "-help"])
        .current_dir(dir)
        .output();
    help.is_ok_and(|help| String::from_utf8_lossy(&help.stderr).contains(option))
}

#[test]
fn encrypted_pem_has_its_variants_too() {
    let credentials = pki::credentials(Case::Good(KeyType::P384));
    let passphrase = Passphrase::from("grün");
    let der = encrypt_private_key(&credentials.key, &passphrase, PROVIDER.random).unwrap();
    let pem = to_pem("ENCRYPTED PRIVATE KEY", &der);
    let chain = credentials.chain_pem();
    let loading = KeyLoading::new(&PROVIDER).passphrase(&passphrase);
    for text in [
        pem.to_string(),
        pem.replace('\n', "\r\n"),
        format!(
            "Bag Attributes: <Empty>\n{chain}\nKey Attributes\n{}\ntext",
            *pem
        ),
    ] {
        let loaded = loading
            .certified_key(chain.as_bytes(), text.as_bytes())
            .unwrap();
        assert_eq!(loaded.chain(), credentials.chain);
    }
    // A key that is not encrypted is no problem.
    assert!(loading.private_key(&credentials.key).is_ok());
    let cut = &pem[..pem.len() - 10];
    assert_eq!(
        loading.private_key(cut.as_bytes()).unwrap_err(),
        LoadError::Pem("the line -----END ENCRYPTED PRIVATE KEY----- is missing".to_owned())
    );
    let broken = pem.replacen("\nMI", "\nM!", 1);
    let error = loading.private_key(broken.as_bytes()).unwrap_err();
    assert!(matches!(error, LoadError::Pem(_)), "{error}");
}

#[test]
fn keys_that_are_encrypted_here_open_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let key = KeyType::P256.generate().unwrap();
    let der = encrypt_private_key(&key, &Passphrase::from("x"), PROVIDER.random).unwrap();
    let again = encrypt_private_key(&key, &Passphrase::from("x"), PROVIDER.random).unwrap();
    assert_ne!(der, again, "salt and IV are new each time");
    let pem = to_pem("ENCRYPTED PRIVATE KEY", &der);
    fs::write(dir.path().join("encrypted"), &*pem).unwrap();
    let plain = "pkcs8 -in encrypted -passin pass:x -topk8 -nocrypt -outform DER";
    if let Some(plain) = openssl(dir.path(), plain) {
        assert!(plain == *key, "another key came out");
    }
}

#[test]
fn old_encryption_is_refused_with_the_command_that_converts_it() {
    let dir = tempfile::tempdir().unwrap();
    let key = pki::credentials(Case::Good(KeyType::P256)).key_pem();
    fs::write(dir.path().join("key.pem"), &key).unwrap();
    let legacy = "-provider legacy -provider default";
    for (encrypt, scheme) in [
        (
            "ec -in key.pem -aes256",
            "Proc-Type: 4,ENCRYPTED with AES-256-CBC",
        ),
        (
            "ec -in key.pem -des3",
            "Proc-Type: 4,ENCRYPTED with DES-EDE3-CBC",
        ),
        (
            "ec -in key.pem -des -provider legacy -provider default",
            "Proc-Type: 4,ENCRYPTED with DES-CBC",
        ),
        (
            "pkcs8 -topk8 -in key.pem -v1 PBE-SHA1-3DES",
            "PBE-SHA1-3DES",
        ),
        (
            "pkcs8 -topk8 -in key.pem -v1 PBE-SHA1-2DES -outform DER",
            "PBE-SHA1-2DES",
        ),
        (
            "pkcs8 -topk8 -in key.pem -v1 PBE-MD5-DES -provider legacy -provider default",
            "PBE-MD5-DES",
        ),
        (
            "pkcs8 -topk8 -in key.pem -v1 PBE-SHA1-RC2-40 -outform DER -provider legacy -provider default",
            "PBE-SHA1-RC2-40",
        ),
    ] {
        let encrypt = format!("{encrypt} -out encrypted -passout pass:x");
        if openssl(dir.path(), &encrypt).is_none() {
            return;
        }
        let encrypted = fs::read(dir.path().join("encrypted")).unwrap();
        let passphrase = Passphrase::from("x");
        for loading in [
            KeyLoading::new(&PROVIDER),
            KeyLoading::new(&PROVIDER).passphrase(&passphrase),
        ] {
            let error = loading.private_key(&encrypted).unwrap_err();
            let LoadError::OldEncryption {
                scheme: found,
                command,
            } = &error
            else {
                panic!("{encrypt}: {error}");
            };
            assert_eq!(found, scheme, "{encrypt}");
            assert_eq!(
                command.contains(legacy),
                encrypt.contains(legacy),
                "{command}"
            );
            // The advice works, and makes a file that loads.
            let convert = command
                .strip_prefix("openssl ")
                .unwrap()
                .replace("FILE", "encrypted")
                .replace("NEWencrypted", "converted");
            openssl(
                dir.path(),
                &format!("{convert} -passin pass:x -passout pass:x"),
            );
            let converted = fs::read(dir.path().join("converted")).unwrap();
            let opened = KeyLoading::new(&PROVIDER)
                .passphrase(&passphrase)
                .private_key(&converted);
            assert_eq!(opened.unwrap().public_key().unwrap(), public(dir.path()));
        }
    }
}

#[test]
fn an_encrypted_key_says_how_to_decrypt_it() {
    let dir = tempfile::tempdir().unwrap();
    let key = pki::credentials(Case::Good(KeyType::P256)).key_pem();
    fs::write(dir.path().join("key.pem"), &key).unwrap();
    assert!(
        LoadError::EncryptedKey
            .to_string()
            .contains("openssl pkcs8 -topk8 -nocrypt -in")
    );
    let encrypt = "pkcs8 -topk8 -in key.pem -out encrypted -passout pass:x";
    if openssl(dir.path(), encrypt).is_none() {
        return;
    }
    // The advice works.
    openssl(
        dir.path(),
        "pkcs8 -topk8 -nocrypt -in encrypted -out plain -passin pass:x",
    );
    let plain = fs::read(dir.path().join("plain")).unwrap();
    assert!(load_private_key(&PROVIDER, &plain).is_ok());
}

#[test]
fn keys_that_cannot_be_used_are_named() {
    let dir = tempfile::tempdir().unwrap();
    for (make, kind) in [
        ("genrsa -traditional -out key.pem 1024", "RSA 1024"),
        ("genrsa -out key.pem 1024", "RSA 1024"),
        ("genpkey -algorithm ed448 -out key.pem", "Ed448"),
        (
            "genpkey -algorithm x25519 -out key.pem",
            "key of algorithm 1.3.101.110",
        ),
        (
            "ecparam -name secp256k1 -genkey -noout -out key.pem",
            "key of algorithm 1.3.132.0.10",
        ),
        (
            "genpkey -algorithm ec -pkeyopt ec_paramgen_curve:brainpoolP256r1 -out key.pem",
            "key of algorithm 1.3.36.3.3.2.8.1.1.7",
        ),
    ] {
        if openssl(dir.path(), make).is_none() {
            return;
        }
        let pem = fs::read(dir.path().join("key.pem")).unwrap();
        let error = load_private_key(&PROVIDER, &pem).unwrap_err();
        let LoadError::RefusedKey { kind: found } = &error else {
            panic!("{make}: {error}");
        };
        assert_eq!(found.to_string(), kind);
        assert!(error.to_string().contains("2048 to 8192 bits"), "{error}");
    }
}

#[cfg(feature = "pkcs12")]
#[test]
fn pkcs12_files_of_openssl_load() {
    let dir = tempfile::tempdir().unwrap();
    let passphrase = Passphrase::from("x");
    let loading = KeyLoading::new(&PROVIDER);
    for key_type in [KeyType::P256, KeyType::Rsa2048, KeyType::Ed25519] {
        let case = Case::Good(key_type);
        pki::write_pem(case, dir.path()).unwrap();
        let pack = "pkcs12 -export -inkey key.pem -in chain.pem -out packed -passout pass:x";
        for more in [
            "",
            " -macalg sha384",
            " -certpbe NONE",
            " -keypbe AES-256-CBC -name n",
        ] {
            if openssl(dir.path(), &format!("{pack}{more}")).is_none() {
                return;
            }
            let packed = fs::read(dir.path().join("packed")).unwrap();
            let loaded = loading.passphrase(&passphrase).pkcs12(&packed).unwrap();
            assert_eq!(loaded.chain(), pki::credentials(case).chain, "{more}");
            let wrong = Passphrase::from("y");
            for loading in [loading, loading.passphrase(&wrong)] {
                let error = loading.pkcs12(&packed).unwrap_err();
                assert_eq!(error, LoadError::WrongPassphrase);
            }
        }
    }
    // One that is too old says what to do, and that works.
    openssl(
        dir.path(),
        "pkcs12 -export -legacy -inkey key.pem -in chain.pem -out packed -passout pass:x",
    );
    let packed = fs::read(dir.path().join("packed")).unwrap();
    let error = loading.passphrase(&passphrase).pkcs12(&packed).unwrap_err();
    let LoadError::OldEncryption { command, .. } = error else {
        panic!("{error}");
    };
    let convert = command
        .strip_prefix("openssl ")
        .unwrap()
        .replace("NEWFILE", "converted")
        .replace("FILE", "packed");
    openssl(
        dir.path(),
        &format!("{convert} -passin pass:x -passout pass:x"),
    );
    let converted = dir.path().join("converted");
    let loading = loading.passphrase(&passphrase);
    assert!(loading.certified_key_files(&converted, &converted).is_ok());
    let pem = fs::read(&converted).unwrap();
    assert!(matches!(loading.pkcs12(&pem), Err(LoadError::Pkcs12(_))));
}

#[test]
fn pkcs12_in_the_place_of_a_key_is_recognised() {
    let dir = tempfile::tempdir().unwrap();
    pki::write_pem(Case::Good(KeyType::P256), dir.path()).unwrap();
    let pack = "pkcs12 -export -inkey key.pem -in chain.pem -out packed -passout pass:x";
    if openssl(dir.path(), pack).is_none() {
        return;
    }
    let packed = fs::read(dir.path().join("packed")).unwrap();
    let error = load_private_key(&PROVIDER, &packed).unwrap_err();
    let LoadError::Pkcs12(command) = error else {
        panic!("{error}");
    };
    assert!(command.contains("openssl pkcs12 -in FILE"), "{command}");
}

#[test]
fn a_chain_in_any_order_is_put_right() {
    let credentials = pki::credentials(Case::Good(KeyType::P256));
    let pem = |der: &[u8]| to_pem("CERTIFICATE", der).to_string();
    let (leaf, middle, root) = (
        pem(credentials.leaf()),
        pem(pki::intermediate()),
        pem(pki::root()),
    );
    let sorted = [credentials.leaf(), pki::intermediate(), pki::root()];
    for order in [
        [&leaf, &middle, &root],
        [&root, &middle, &leaf],
        [&middle, &leaf, &root],
        [&leaf, &root, &middle],
    ] {
        let text: String = order.into_iter().map(String::as_str).collect();
        assert_eq!(
            load(text.as_bytes(), &credentials.key).unwrap().chain(),
            sorted
        );
    }
    let twice = format!("{leaf}{leaf}{middle}{middle}");
    assert_eq!(
        load(twice.as_bytes(), &credentials.key).unwrap().chain(),
        &sorted[..2]
    );
}

#[test]
fn a_certificate_that_is_no_part_of_the_chain_is_named() {
    let credentials = pki::credentials(Case::Good(KeyType::P256));
    let stray = &pki::credentials(Case::Untrusted).chain[1];
    let text = format!(
        "{}{}",
        credentials.chain_pem(),
        &*to_pem("CERTIFICATE", stray)
    );
    let error = load(text.as_bytes(), &credentials.key).unwrap_err();
    assert_eq!(
        error,
        LoadError::Unconnected {
            number: 3,
            subject: "CN=Waxwing stranger intermediate".to_owned()
        }
    );
}

#[test]
fn a_key_of_another_certificate_is_refused_by_name() {
    let credentials = pki::credentials(Case::Good(KeyType::P256));
    let other = pki::credentials(Case::Good(KeyType::Ed25519));
    let chain = credentials.chain_pem();
    let error = load(chain.as_bytes(), &other.key).unwrap_err();
    assert_eq!(
        error,
        LoadError::KeyMismatch {
            subject: "localhost".to_owned(),
            certificate: PublicKeyKind::P256,
            private: PublicKeyKind::Ed25519,
        }
    );
    let text = error.to_string();
    assert!(
        text.contains("(Ed25519) does not belong to the certificate of localhost"),
        "{text}"
    );
}

#[test]
fn what_is_in_the_file_instead_is_said() {
    let credentials = pki::credentials(Case::Good(KeyType::P256));
    let (chain, key) = (credentials.chain_pem(), credentials.key_pem());
    let cut = &key[..key.len() - 20];
    let wrong_label = key.replace("PRIVATE KEY", "RSA PRIVATE KEY");
    let key_cases: [(&str, LoadError); 4] = [
        ("", LoadError::NoPrivateKey(None)),
        (&chain, LoadError::NoPrivateKey(Some("a certificate"))),
        (&wrong_label, LoadError::UnusableKey),
        (
            cut,
            LoadError::Pem("the line -----END PRIVATE KEY----- is missing".to_owned()),
        ),
    ];
    for (text, error) in key_cases {
        assert_eq!(
            load_private_key(&PROVIDER, text.as_bytes()).unwrap_err(),
            error
        );
    }
    assert_eq!(
        load(key.as_bytes(), key.as_bytes()).unwrap_err(),
        LoadError::NoCertificate(Some("a private key"))
    );
    let broken = chain.replacen(
        "-----BEGIN CERTIFICATE-----\nM",
        "-----BEGIN CERTIFICATE-----\nN",
        1,
    );
    assert!(matches!(
        load(broken.as_bytes(), key.as_bytes()).unwrap_err(),
        LoadError::BadCertificate { number: 1, .. }
    ));
}

#[test]
fn an_error_in_a_file_names_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let files = pki::write_pem(Case::Good(KeyType::P256), dir.path()).unwrap();
    assert!(load_certified_key_files(&PROVIDER, &files.chain, &files.key).is_ok());
    let absent = dir.path().join("absent.pem");
    let text = |chain, key| {
        load_certified_key_files(&PROVIDER, chain, key)
            .unwrap_err()
            .to_string()
    };
    assert!(text(&absent, &files.key).contains("absent.pem: cannot be read: "));
    assert!(text(&files.chain, &files.chain).contains("chain.pem: there is no private key in it"));
    assert!(text(&files.key, &files.key).contains("key.pem: there is no certificate in it"));
}
