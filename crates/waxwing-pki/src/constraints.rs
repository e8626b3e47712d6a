//! Which names an authority may issue for (RFC 5280, Section 4.2.1.10).
//!
//! webpki checks the constraints of intermediate certificates. Those of trust anchors are checked
//! here, with the names of persons, mail boxes and self-issued certificates treated as the RFC
//! says; and here it is found which constraint of which certificate failed.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use x509_cert::Certificate;
use x509_cert::ext::pkix::constraints::name::GeneralSubtree;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{NameConstraints, SubjectAltName};
use x509_cert::name::Name;

use crate::Code;

/// How many comparisons of a name with a constraint one chain may cost. Public authorities have
/// fewer than a hundred constraints, and their subscribers about as many names.
const MAX_COMPARISONS: usize = 250_000;

/// Counts comparisons.
#[derive(Debug)]
pub(crate) struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(MAX_COMPARISONS)
    }
}

impl Budget {
    fn spend(&mut self) -> Result<(), Code> {
        self.0 = self.0.checked_sub(1).ok_or(Code::ChainTooComplex)?;
        Ok(())
    }
}

/// Checks all names of `certificate`.
pub(crate) fn check(
    constraints: &NameConstraints,
    certificate: &Certificate,
    budget: &mut Budget,
) -> Result<(), Code> {
    let tbs = certificate.tbs_certificate();
    let names = tbs
        .get_extension::<SubjectAltName>()
        .map_err(|_| Code::Malformed)?;
    let mut names = names.map_or_else(Vec::new, |(_, SubjectAltName(names))| names);
    if !tbs.subject().is_empty() {
        names.push(GeneralName::DirectoryName(tbs.subject().clone()));
    }
    for name in &names {
        check_name(constraints, name, budget)?;
    }
    Ok(())
}

fn check_name(
    constraints: &NameConstraints,
    name: &GeneralName,
    budget: &mut Budget,
) -> Result<(), Code> {
    let mut constrained = false;
    let mut permitted = false;
    for subtree in constraints.permitted_subtrees.iter().flatten() {
        budget.spend()?;
        if let Some(within) = compare(name, subtree, Side::Permitted)? {
            constrained = true;
            permitted |= within;
        }
    }
    if constrained && !permitted {
        return Err(Code::PermittedViolation);
    }
    for subtree in constraints.excluded_subtrees.iter().flatten() {
        budget.spend()?;
        if compare(name, subtree, Side::Excluded)? == Some(true) {
            return Err(Code::ExcludedViolation);
        }
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Permitted,
    Excluded,
}

/// Whether `name` is within the subtree; `None` if it is of another kind.
fn compare(name: &GeneralName, subtree: &GeneralSubtree, side: Side) -> Result<Option<bool>, Code> {
    use GeneralName as N;
    // RFC 5280: the minimum is zero, and there is no maximum.
    if subtree.minimum != 0 || subtree.maximum.is_some() {
        return Err(Code::ConstraintSyntax);
    }
    let within = match (name, &subtree.base) {
        (N::DnsName(name), N::DnsName(base)) => within_domain(name.as_str(), base.as_str(), side)?,
        (N::IpAddress(address), N::IpAddress(base)) => {
            within_network(address.as_bytes(), base.as_bytes())?
        }
        (N::Rfc822Name(mailbox), N::Rfc822Name(base)) => {
            within_mail(mailbox.as_str(), base.as_str())?
        }
        (N::DirectoryName(name), N::DirectoryName(base)) => within_directory(name, base),
        // Not understood here; so no such name is permitted, and every one excluded.
        (a, b) if core::mem::discriminant(a) == core::mem::discriminant(b) => {
            side == Side::Excluded
        }
        _ => return Ok(None),
    };
    Ok(Some(within))
}

fn within_domain(name: &str, base: &str, side: Side) -> Result<bool, Code> {
    if !is_domain_constraint(base) {
        return Err(Code::ConstraintSyntax);
    }
    let (name, base) = (name.to_ascii_lowercase(), base.to_ascii_lowercase());
    let Some(parent) = name.strip_prefix("*.") else {
        if !is_domain(&name) {
            return Err(Code::Malformed);
        }
        return Ok(is_below(&name, &base));
    };
    if !is_domain(parent) {
        return Err(Code::Malformed);
    }
    // A wildcard is excluded as soon as one name that it stands for is.
    let covers_base =
        || base.split_once('.').is_some_and(|(_, rest)| rest == parent) && side == Side::Excluded;
    Ok(is_below(parent, &base) || covers_base())
}

/// Whether `name` is `base` or has more labels to its left.
fn is_below(name: &str, base: &str) -> bool {
    base.is_empty()
        || name == base
        || name
            .strip_suffix(base)
            .is_some_and(|left| left.ends_with('.'))
}

/// What may stand in a constraint: a domain, or nothing, which is all of them.
pub(crate) fn is_domain_constraint(base: &str) -> bool {
    base.is_empty() || is_domain(base)
}

/// The preferred name syntax (RFC 1034, Section 3.5), with underscores, which are in use.
fn is_domain(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    name.len() <= 253 && name.split('.').all(label)
}

fn within_network(address: &[u8], base: &[u8]) -> Result<bool, Code> {
    if !matches!(base.len(), 8 | 32) {
        return Err(Code::ConstraintSyntax);
    }
    let (network, mask) = base.split_at(base.len() / 2);
    if !is_prefix_mask(mask) {
        return Err(Code::ConstraintSyntax);
    }
    if !matches!(address.len(), 4 | 16) {
        return Err(Code::Malformed);
    }
    let mut bytes = address.iter().zip(network).zip(mask);
    let within = bytes.all(|((a, n), m)| a & m == n & m);
    Ok(address.len() == network.len() && within)
}

/// RFC 5280: in the style of RFC 4632, so ones come before zeros.
fn is_prefix_mask(mask: &[u8]) -> bool {
    let mut rest = mask.iter().skip_while(|byte| **byte == 0xff);
    let edge = rest.next().copied().unwrap_or_default();
    edge.leading_ones() + edge.trailing_zeros() >= 8 && rest.all(|byte| *byte == 0)
}

fn within_mail(mailbox: &str, base: &str) -> Result<bool, Code> {
    let (local, host) = mailbox.rsplit_once('@').ok_or(Code::Malformed)?;
    if !is_local_part(local) || !is_domain(host) {
        return Err(Code::Malformed);
    }
    let host = host.to_ascii_lowercase();
    if let Some((base_local, base_host)) = base.rsplit_once('@') {
        if !is_local_part(base_local) || !is_domain(base_host) {
            return Err(Code::ConstraintSyntax);
        }
        return Ok(local == base_local && host == base_host.to_ascii_lowercase());
    }
    let base = base.to_ascii_lowercase();
    match base.strip_prefix('.') {
        Some(domain) if is_domain(domain) => Ok(host.ends_with(&base)),
        None if is_domain(&base) => Ok(host == base),
        _ => Err(Code::ConstraintSyntax),
    }
}

/// What stands before the last `@`. Quoted ones may hold anything, and nobody has them.
fn is_local_part(local: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'@' | b'"');
    !local.is_empty() && local.bytes().all(allowed)
}

/// Whether `name` begins with all of `base` (RFC 5280, Section 7.1).
fn within_directory(name: &Name, base: &Name) -> bool {
    let mut parts = name.iter_rdn();
    base.iter_rdn().all(|wanted| {
        let comparable = |part: &x509_cert::name::RelativeDistinguishedName| {
            let mut all: Vec<String> = part.iter().map(fold).collect();
            all.sort_unstable();
            all
        };
        parts
            .next()
            .is_some_and(|part| comparable(part) == comparable(wanted))
    })
}

/// An attribute without what does not count: case, and how many spaces there are.
fn fold(attribute: &x509_cert::attr::AttributeTypeAndValue) -> String {
    let text = attribute.to_string().to_lowercase();
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_hold_what_is_below_them() {
        use Side::{Excluded, Permitted};
        for (name, base, side, expected) in [
            ("a.example", "example", Permitted, Ok(true)),
            ("A.EXAMPLE", "a.example", Permitted, Ok(true)),
            ("ba.example", "a.example", Permitted, Ok(false)),
            ("example", "a.example", Permitted, Ok(false)),
            ("anything", "", Permitted, Ok(true)),
            ("*.a.example", "a.example", Permitted, Ok(true)),
            ("*.a.example", "b.a.example", Permitted, Ok(false)),
            ("*.a.example", "b.a.example", Excluded, Ok(true)),
            ("*.a.example", "c.b.a.example", Excluded, Ok(false)),
            (
                "a.example",
                ".example",
                Permitted,
                Err(Code::ConstraintSyntax),
            ),
            (
                "a.example",
                "*.example",
                Excluded,
                Err(Code::ConstraintSyntax),
            ),
            ("a..example", "example", Permitted, Err(Code::Malformed)),
        ] {
            assert_eq!(within_domain(name, base, side), expected, "{name} {base}");
        }
    }

    #[test]
    fn networks_hold_addresses_of_their_kind() {
        let net = [192, 0, 2, 0, 255, 255, 255, 0];
        assert_eq!(within_network(&[192, 0, 2, 9], &net), Ok(true));
        assert_eq!(within_network(&[192, 0, 3, 9], &net), Ok(false));
        assert_eq!(within_network(&[0; 16], &net), Ok(false));
        let edge = [192, 0, 2, 0, 255, 255, 254, 0];
        assert_eq!(within_network(&[192, 0, 3, 9], &edge), Ok(true));
        let holes = [192, 0, 2, 0, 255, 0, 255, 0];
        let bad = Err(Code::ConstraintSyntax);
        assert_eq!(within_network(&[192, 0, 2, 9], &holes), bad);
        assert_eq!(within_network(&[192, 0, 2, 9], &net[..7]), bad);
        assert_eq!(within_network(&[1, 2], &net), Err(Code::Malformed));
    }

    #[test]
    fn mail_is_held_by_mailbox_host_or_domain() {
        for (mailbox, base, expected) in [
            ("a@b.example", "a@B.example", Ok(true)),
            ("A@b.example", "a@b.example", Ok(false)),
            ("a@b.example", "b.example", Ok(true)),
            ("a@c.b.example", "b.example", Ok(false)),
            ("a@c.b.example", ".b.example", Ok(true)),
            ("a@b.example", ".b.example", Ok(false)),
            ("a", "b.example", Err(Code::Malformed)),
            ("a@a@b.example", "b.example", Err(Code::Malformed)),
            ("a@b.example", "*.example", Err(Code::ConstraintSyntax)),
            ("a@b.example", "@b.example", Err(Code::ConstraintSyntax)),
        ] {
            assert_eq!(within_mail(mailbox, base), expected, "{mailbox} {base}");
        }
    }

    #[test]
    fn names_of_persons_are_compared_from_the_top_without_case() {
        let name = |text: &str| text.parse::<Name>().unwrap();
        let base = name("O=Example Corp,C=DE");
        assert!(within_directory(&name("CN=a,O=example  CORP,C=de"), &base));
        assert!(within_directory(&base, &base));
        assert!(!within_directory(&name("CN=a,O=Example Corp"), &base));
        assert!(!within_directory(&name("C=DE"), &base));
        assert!(within_directory(&name("C=DE"), &Name::default()));
    }
}
