//! The parts of a distinguished name.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::der::asn1::Any;
use x509_cert::der::{Encode, Tag, Tagged};
use x509_cert::name::Name;

/// Short names that people know (RFC 4514, Section 3; RFC 5280, Appendix A; the CA/Browser
/// Forum's EV Guidelines, Section 9.2), as OpenSSL and Node write them.
const SHORT_NAMES: [(&str, &str); 25] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "street"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.12", "title"),
    ("2.5.4.13", "description"),
    ("2.5.4.15", "businessCategory"),
    ("2.5.4.17", "postalCode"),
    ("2.5.4.41", "name"),
    ("2.5.4.42", "GN"),
    ("2.5.4.43", "initials"),
    ("2.5.4.44", "generationQualifier"),
    ("2.5.4.46", "dnQualifier"),
    ("2.5.4.65", "pseudonym"),
    ("2.5.4.97", "organizationIdentifier"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
    ("1.3.6.1.4.1.311.60.2.1.2", "jurisdictionST"),
    ("1.3.6.1.4.1.311.60.2.1.3", "jurisdictionC"),
];

/// One attribute of a distinguished name (RFC 5280, Section 4.1.2.4).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NamePart {
    /// The dotted object identifier of its type.
    pub id: String,
    /// The short name of its type, such as `CN`; where it has none, the same as `id`.
    pub name: String,
    /// The text, as it is in the certificate: **not** made safe to print. Where it is no text,
    /// `#` and the DER in hexadecimal (RFC 4514, Section 2.4).
    pub value: String,
}

/// The parts of `name` in the order of the certificate.
pub(crate) fn parts(name: &Name) -> Vec<NamePart> {
    name.iter().map(part).collect()
}

fn part(attribute: &AttributeTypeAndValue) -> NamePart {
    let id = attribute.oid.to_string();
    let known = SHORT_NAMES.iter().find(|(known, _)| *known == id);
    NamePart {
        name: known.map_or_else(|| id.clone(), |(_, name)| (*name).into()),
        value: text(&attribute.value).unwrap_or_else(|| in_hexadecimal(&attribute.value)),
        id,
    }
}

fn text(value: &Any) -> Option<String> {
    let bytes = value.value();
    match value.tag() {
        Tag::Utf8String
        | Tag::PrintableString
        | Tag::Ia5String
        | Tag::NumericString
        | Tag::VisibleString => String::from_utf8(bytes.to_vec()).ok(),
        // Nobody uses the character set that it is named after; what is found is Latin-1.
        Tag::TeletexString => Some(bytes.iter().copied().map(char::from).collect()),
        Tag::BmpString => {
            let units = bytes.chunks(2).map(|unit| match unit {
                [high, low] => Some(u16::from_be_bytes([*high, *low])),
                _ => None,
            });
            String::from_utf16(&units.collect::<Option<Vec<_>>>()?).ok()
        }
        _ => None,
    }
}

fn in_hexadecimal(value: &Any) -> String {
    format!("#{}", hex::encode(value.to_der().unwrap_or_default()))
}
