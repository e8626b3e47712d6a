//! Code points shared by the engine, the providers and the certificate code.
//!
//! Each is a number that may hold a value nobody has named yet: what a peer sends is kept as it
//! came. Names are those of the IANA registry "TLS Parameters".

use crate::Authentication12;

/// Declares a number of the wire with names for some of its values.
#[doc(hidden)]
#[macro_export]
macro_rules! code_points {
    ($(#[$meta:meta])* $name:ident(u16) { $($names:tt)* }) => {
        $crate::code_points!(@declare $(#[$meta])* $name, u16, $($names)*);

        impl $name {
            /// Whether this is one of the reserved values of RFC 8701 (GREASE).
            #[must_use]
            pub const fn is_grease(self) -> bool {
                self.0 & 0x0f0f == 0x0a0a && self.0 >> 8 == self.0 & 0xff
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None if self.is_grease() => write!(f, "GREASE(0x{:04x})", self.0),
                    None => write!(f, "0x{:04x}", self.0),
                }
            }
        }
    };
    ($(#[$meta:meta])* $name:ident(u8) { $($names:tt)* }) => {
        $crate::code_points!(@declare $(#[$meta])* $name, u8, $($names)*);

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, "{}({})", stringify!($name), self.0),
                }
            }
        }
    };
    (@declare $(#[$meta:meta])* $name:ident, $int:ident,
        $($konst:ident = $value:literal, $text:literal;)*) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(
            /// The number on the wire.
            pub $int,
        );

        impl $name {
            $(#[doc = concat!("`", $text, "`")] pub const $konst: Self = Self($value);)*

            /// The registered name, if this crate knows one.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($text),)*
                    _ => None,
                }
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Display::fmt(self, f)
            }
        }
    };
}

code_points! {
    /// A cipher suite (RFC 9846, Appendix B.4; for TLS 1.2 RFC 5289 and RFC 7905).
    CipherSuite(u16) {
        TLS13_AES_128_GCM_SHA256 = 0x1301, "TLS_AES_128_GCM_SHA256";
        TLS13_AES_256_GCM_SHA384 = 0x1302, "TLS_AES_256_GCM_SHA384";
        TLS13_CHACHA20_POLY1305_SHA256 = 0x1303, "TLS_CHACHA20_POLY1305_SHA256";
        TLS13_AES_128_CCM_SHA256 = 0x1304, "TLS_AES_128_CCM_SHA256";
        TLS13_AES_128_CCM_8_SHA256 = 0x1305, "TLS_AES_128_CCM_8_SHA256";
        TLS12_ECDHE_ECDSA_AES_128_GCM_SHA256 = 0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
        TLS12_ECDHE_ECDSA_AES_256_GCM_SHA384 = 0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";
        TLS12_ECDHE_RSA_AES_128_GCM_SHA256 = 0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
        TLS12_ECDHE_RSA_AES_256_GCM_SHA384 = 0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384";
        TLS12_ECDHE_RSA_CHACHA20_POLY1305_SHA256 = 0xcca8,
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256";
        TLS12_ECDHE_ECDSA_CHACHA20_POLY1305_SHA256 = 0xcca9,
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256";
        TLS12_PSK_AES_128_GCM_SHA256 = 0x00a8, "TLS_PSK_WITH_AES_128_GCM_SHA256";
        TLS12_PSK_AES_256_GCM_SHA384 = 0x00a9, "TLS_PSK_WITH_AES_256_GCM_SHA384";
        TLS12_PSK_AES_128_CCM = 0xc0a4, "TLS_PSK_WITH_AES_128_CCM";
        TLS12_PSK_AES_128_CCM_8 = 0xc0a8, "TLS_PSK_WITH_AES_128_CCM_8";
        TLS12_PSK_CHACHA20_POLY1305_SHA256 = 0xccab, "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256";
        TLS12_ECDHE_PSK_CHACHA20_POLY1305_SHA256 = 0xccac,
            "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256";
        TLS12_ECDHE_PSK_AES_128_GCM_SHA256 = 0xd001, "TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256";
        TLS12_ECDHE_PSK_AES_256_GCM_SHA384 = 0xd002, "TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384";
        TLS12_ECDHE_PSK_AES_128_CCM_8_SHA256 = 0xd003,
            "TLS_ECDHE_PSK_WITH_AES_128_CCM_8_SHA256";
        TLS12_ECDHE_PSK_AES_128_CCM_SHA256 = 0xd005, "TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256";
        EMPTY_RENEGOTIATION_INFO_SCSV = 0x00ff, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV";
        FALLBACK_SCSV = 0x5600, "TLS_FALLBACK_SCSV";
    }
}

code_points! {
    /// A key exchange group (RFC 9846, Section 4.3.7; hybrids of RFC 10024).
    NamedGroup(u16) {
        SECP256R1 = 0x0017, "secp256r1";
        SECP384R1 = 0x0018, "secp384r1";
        SECP521R1 = 0x0019, "secp521r1";
        X25519 = 0x001d, "x25519";
        X448 = 0x001e, "x448";
        MLKEM512 = 0x0200, "MLKEM512";
        MLKEM768 = 0x0201, "MLKEM768";
        MLKEM1024 = 0x0202, "MLKEM1024";
        SECP256R1_MLKEM768 = 0x11eb, "SecP256r1MLKEM768";
        X25519_MLKEM768 = 0x11ec, "X25519MLKEM768";
        SECP384R1_MLKEM1024 = 0x11ed, "SecP384r1MLKEM1024";
    }
}

impl NamedGroup {
    /// Whether a recording of the handshake stays safe from a quantum computer.
    #[must_use]
    pub const fn is_post_quantum(self) -> bool {
        matches!(self.0, 0x0200..=0x0202 | 0x11eb..=0x11ed)
    }

    /// Whether TLS 1.2 can use this group: those that are neither a KEM nor contain one
    /// (RFC 8422, Section 5.1.1).
    #[must_use]
    pub const fn allowed_in_tls12(self) -> bool {
        matches!(self.0, 0x0017..=0x0019 | 0x001d | 0x001e)
    }
}

code_points! {
    /// A signature algorithm (RFC 9846, Section 4.3.3).
    SignatureScheme(u16) {
        RSA_PKCS1_SHA1 = 0x0201, "rsa_pkcs1_sha1";
        ECDSA_SHA1 = 0x0203, "ecdsa_sha1";
        RSA_PKCS1_SHA256 = 0x0401, "rsa_pkcs1_sha256";
        ECDSA_SECP256R1_SHA256 = 0x0403, "ecdsa_secp256r1_sha256";
        RSA_PKCS1_SHA384 = 0x0501, "rsa_pkcs1_sha384";
        ECDSA_SECP384R1_SHA384 = 0x0503, "ecdsa_secp384r1_sha384";
        RSA_PKCS1_SHA512 = 0x0601, "rsa_pkcs1_sha512";
        ECDSA_SECP521R1_SHA512 = 0x0603, "ecdsa_secp521r1_sha512";
        RSA_PSS_RSAE_SHA256 = 0x0804, "rsa_pss_rsae_sha256";
        RSA_PSS_RSAE_SHA384 = 0x0805, "rsa_pss_rsae_sha384";
        RSA_PSS_RSAE_SHA512 = 0x0806, "rsa_pss_rsae_sha512";
        ED25519 = 0x0807, "ed25519";
        ED448 = 0x0808, "ed448";
        RSA_PSS_PSS_SHA256 = 0x0809, "rsa_pss_pss_sha256";
        RSA_PSS_PSS_SHA384 = 0x080a, "rsa_pss_pss_sha384";
        RSA_PSS_PSS_SHA512 = 0x080b, "rsa_pss_pss_sha512";
        MLDSA44 = 0x0904, "mldsa44";
        MLDSA65 = 0x0905, "mldsa65";
        MLDSA87 = 0x0906, "mldsa87";
    }
}

impl SignatureScheme {
    /// Whether TLS 1.3 allows this scheme in CertificateVerify (RFC 9846, Section 4.3.3):
    /// neither RSASSA-PKCS1-v1_5 nor anything on SHA-1.
    #[must_use]
    pub const fn allowed_in_tls13_handshake(self) -> bool {
        !matches!(self.0, 0x0201 | 0x0203 | 0x0401 | 0x0501 | 0x0601)
    }

    /// Whether TLS 1.2 allows this scheme in ServerKeyExchange and CertificateVerify.
    #[must_use]
    pub const fn allowed_in_tls12_handshake(self) -> bool {
        self.tls12_authentication().is_some()
    }

    /// The TLS 1.2 cipher suites that this scheme goes with; `None` if TLS 1.2 must not use it.
    #[must_use]
    pub const fn tls12_authentication(self) -> Option<Authentication12> {
        match self {
            // EdDSA goes with the suites named after ECDSA (RFC 8422, Section 2.1).
            Self::ECDSA_SECP256R1_SHA256
            | Self::ECDSA_SECP384R1_SHA384
            | Self::ECDSA_SECP521R1_SHA512
            | Self::ED25519
            | Self::ED448 => Some(Authentication12::Ecdsa),
            // RSASSA-PSS goes with the RSA suites (RFC 9846, Section 4.3.3).
            Self::RSA_PKCS1_SHA256
            | Self::RSA_PKCS1_SHA384
            | Self::RSA_PKCS1_SHA512
            | Self::RSA_PSS_RSAE_SHA256
            | Self::RSA_PSS_RSAE_SHA384
            | Self::RSA_PSS_RSAE_SHA512
            | Self::RSA_PSS_PSS_SHA256
            | Self::RSA_PSS_PSS_SHA384
            | Self::RSA_PSS_PSS_SHA512 => Some(Authentication12::Rsa),
            // SHA-1 is forbidden (RFC 9155, Section 2), and ML-DSA is for TLS 1.3 alone.
            _ => None,
        }
    }

    /// Whether this is ECDSA on SHA-2, whose code points name a curve in TLS 1.3 only.
    pub(crate) const fn is_ecdsa(self) -> bool {
        matches!(
            self,
            Self::ECDSA_SECP256R1_SHA256
                | Self::ECDSA_SECP384R1_SHA384
                | Self::ECDSA_SECP521R1_SHA512
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn grease_values_are_the_sixteen_of_rfc_8701() {
        let found = (0..=u16::MAX).filter(|v| CipherSuite(*v).is_grease());
        let expected = (0..16u16).map(|i| (i << 12) | 0x0a00 | (i << 4) | 0x0a);
        assert!(found.eq(expected));
    }

    #[test]
    fn each_scheme_goes_with_the_tls12_suites_of_its_kind_of_key() {
        let of = |kind| {
            (0..=u16::MAX)
                .map(SignatureScheme)
                .filter(move |scheme| scheme.tls12_authentication() == Some(kind))
        };
        let ecdsa = [0x0403, 0x0503, 0x0603, 0x0807, 0x0808];
        assert!(of(Authentication12::Ecdsa).eq(ecdsa.map(SignatureScheme)));
        let rsa = [
            0x0401, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b,
        ];
        assert!(of(Authentication12::Rsa).eq(rsa.map(SignatureScheme)));
    }

    #[test]
    fn unknown_code_points_print_their_number() {
        assert_eq!(format!("{}", NamedGroup(0xfe01)), "0xfe01");
        assert_eq!(format!("{}", NamedGroup(0x2a2a)), "GREASE(0x2a2a)");
        assert_eq!(format!("{}", NamedGroup::X25519), "x25519");
    }
}
