//! Key exchange. Private keys cannot be set from outside, so known answers come another way:
//! whoever is given the base point as the peer's public value obtains, as shared secret, its
//! own public value.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use super::{Failure, Subject, hex};
use crate::{CryptoError, CryptoProvider, KeyShare, KxGroup, NamedGroup};

/// What the public values and the secret of a group are made of.
struct Shape {
    curve: &'static Curve,
    kem: Option<KemShape>,
}

struct Curve {
    /// The base point as a public value.
    base: &'static [u8],
    /// How many bytes of a public value precede the x-coordinate; none in X25519.
    prefix: usize,
    /// Bytes of the x-coordinate, which is the shared secret.
    coordinate: usize,
}

struct KemShape {
    public_len: usize,
    ciphertext_len: usize,
    /// Whether the KEM's part comes first, in values and secret (RFC 10024).
    first: bool,
}

/// Bytes of the shared secret of ML-KEM (FIPS 203).
const KEM_SECRET_LEN: usize = 32;

impl Shape {
    fn of(group: NamedGroup) -> Option<Self> {
        let hybrid = |public_len, ciphertext_len, first| {
            Some(KemShape {
                public_len,
                ciphertext_len,
                first,
            })
        };
        let (curve, kem) = match group {
            NamedGroup::X25519 => (&X25519, None),
            NamedGroup::SECP256R1 => (&P256, None),
            NamedGroup::SECP384R1 => (&P384, None),
            NamedGroup::SECP521R1 => (&P521, None),
            NamedGroup::X25519_MLKEM768 => (&X25519, hybrid(1184, 1088, true)),
            NamedGroup::SECP256R1_MLKEM768 => (&P256, hybrid(1184, 1088, false)),
            NamedGroup::SECP384R1_MLKEM1024 => (&P384, hybrid(1568, 1568, false)),
            _ => return None,
        };
        Some(Self { curve, kem })
    }

    fn kem_public_len(&self) -> usize {
        self.kem.as_ref().map_or(0, |kem| kem.public_len)
    }

    fn kem_ciphertext_len(&self) -> usize {
        self.kem.as_ref().map_or(0, |kem| kem.ciphertext_len)
    }

    fn kem_secret_len(&self) -> usize {
        self.kem.as_ref().map_or(0, |_| KEM_SECRET_LEN)
    }

    fn kem_first(&self) -> bool {
        self.kem.as_ref().is_some_and(|kem| kem.first)
    }

    /// Splits into (classical, KEM). The caller has checked the length.
    fn split<'a>(&self, joined: &'a [u8], kem_len: usize) -> (&'a [u8], &'a [u8]) {
        if self.kem_first() {
            let (kem, classical) = joined.split_at(kem_len);
            (classical, kem)
        } else {
            joined.split_at(joined.len() - kem_len)
        }
    }

    fn join(&self, classical: &[u8], kem: &[u8]) -> Vec<u8> {
        if self.kem_first() {
            [kem, classical].concat()
        } else {
            [classical, kem].concat()
        }
    }
}

impl Curve {
    /// Values that are no valid public value, though most have the right length.
    fn invalid_values(&self) -> Vec<Vec<u8>> {
        if self.prefix == 0 {
            return LOW_ORDER.iter().map(|point| point.to_vec()).collect();
        }
        let len = self.base.len();
        let with_first = |first: u8| {
            let mut point = self.base.to_vec();
            point[0] = first;
            point
        };
        let mut off_curve = self.base.to_vec();
        off_curve[len - 1] ^= 1;
        let mut zeros = vec![0; len];
        zeros[0] = 4;
        let mut beyond_the_field = vec![0xff; len];
        beyond_the_field[0] = 4;
        let mut values = vec![off_curve, zeros, beyond_the_field, vec![0]];
        // Infinity, unknown, and the hybrid form of X9.62; both parities of the compressed one.
        values.extend([0, 5, 6, 7].map(with_first));
        values.extend([2, 3].map(|first| with_first(first)[..=self.coordinate].to_vec()));
        values
    }

    fn x_coordinate<'a>(&self, point: &'a [u8]) -> &'a [u8] {
        &point[self.prefix..self.prefix + self.coordinate]
    }
}

pub(super) fn check(provider: &CryptoProvider, group: &dyn KxGroup) -> Result<(), Failure> {
    let name = group.name();
    let subject = Subject(&name);
    let test = Test {
        subject,
        provider,
        group,
        shape: subject.some(Shape::of(name), "there is a known answer for it")?,
    };
    test.agreement()?;
    test.base_point()?;
    test.classical_part()?;
    test.wrong_group()?;
    test.wrong_lengths()?;
    test.invalid_points()?;
    test.invalid_kem_values()
}

struct Test<'a> {
    subject: Subject<'a>,
    provider: &'a CryptoProvider,
    group: &'a dyn KxGroup,
    shape: Shape,
}

impl Test<'_> {
    fn start(&self) -> Result<Box<dyn KeyShare>, Failure> {
        self.subject
            .succeeds(self.group.start(self.provider.random))
    }

    /// A share, and an answer to it.
    fn started_and_answered(&self) -> Result<(Box<dyn KeyShare>, Vec<u8>), Failure> {
        let share = self.start()?;
        let answer = self.group.respond(self.provider.random, share.public());
        let (answer, _) = self.subject.succeeds(answer)?;
        Ok((share, answer))
    }

    fn agreement(&self) -> Result<(), Failure> {
        let Self {
            subject,
            group,
            shape,
            ..
        } = self;
        let point_len = shape.curve.base.len();
        let mut previous = Vec::new();
        for _ in 0..4 {
            let share = self.start()?;
            subject.must(share.group() == group.name(), "a share knows its group")?;
            subject.must(
                share.public().len() == point_len + shape.kem_public_len(),
                "the length of the first value",
            )?;
            subject.must(share.public() != previous, "two shares differ")?;
            previous = share.public().to_vec();
            let answer = group.respond(self.provider.random, share.public());
            let (answer, ours) = subject.succeeds(answer)?;
            subject.must(
                answer.len() == point_len + shape.kem_ciphertext_len(),
                "the length of the second value",
            )?;
            let theirs = subject.succeeds(share.complete(group.name(), &answer))?;
            subject.must(ours.as_ref() == theirs.as_ref(), "both sides agree")?;
            subject.must(
                ours.as_ref().len() == shape.curve.coordinate + shape.kem_secret_len(),
                "the length of the secret",
            )?;
        }
        Ok(())
    }

    /// The known answer, on either side. In a hybrid this also shows which part comes first.
    fn base_point(&self) -> Result<(), Failure> {
        let rule = "the base point leads to one's own public value";
        let Self { subject, shape, .. } = self;
        let curve = shape.curve;
        let (share, answer) = self.started_and_answered()?;

        let (_, kem) = shape.split(share.public(), shape.kem_public_len());
        let first = shape.join(curve.base, kem);
        let responded = self.group.respond(self.provider.random, &first);
        let (public, secret) = subject.succeeds(responded)?;
        let (point, _) = shape.split(&public, shape.kem_ciphertext_len());
        let (classical, _) = shape.split(secret.as_ref(), shape.kem_secret_len());
        subject.must(classical == curve.x_coordinate(point), rule)?;

        let public = share.public().to_vec();
        let (point, _) = shape.split(&public, shape.kem_public_len());
        let (_, ciphertext) = shape.split(&answer, shape.kem_ciphertext_len());
        let second = shape.join(curve.base, ciphertext);
        let secret = subject.succeeds(share.complete(self.group.name(), &second))?;
        let (classical, _) = shape.split(secret.as_ref(), shape.kem_secret_len());
        subject.must(classical == curve.x_coordinate(point), rule)
    }

    fn classical_part(&self) -> Result<(), Failure> {
        let Self { subject, shape, .. } = self;
        let share = self.start()?;
        let Some((group, public)) = share.classical_part() else {
            return Ok(());
        };
        let (point, _) = shape.split(share.public(), shape.kem_public_len());
        subject.must(point == public, "the classical part is part of the whole")?;
        let classical = self.provider.group(group);
        let classical = subject.some(classical, "the classical part has a listed group")?;
        let answer = classical.respond(self.provider.random, public);
        let (answer, ours) = subject.succeeds(answer)?;
        let theirs = subject.succeeds(share.complete(group, &answer))?;
        subject.must(
            ours.as_ref() == theirs.as_ref(),
            "both sides of the classical part agree",
        )
    }

    fn wrong_group(&self) -> Result<(), Failure> {
        let (share, answer) = self.started_and_answered()?;
        self.subject.must(
            share.complete(NamedGroup(0xffff), &answer).err() == Some(CryptoError::Misuse),
            "completing for another group is misuse",
        )
    }

    fn wrong_lengths(&self) -> Result<(), Failure> {
        let public = self.start()?.public().to_vec();
        for wrong in wrong_lengths(&public) {
            self.first_refused(&wrong)?;
        }
        let (_, answer) = self.started_and_answered()?;
        for wrong in wrong_lengths(&answer) {
            self.second_refused(|_| wrong)?;
        }
        Ok(())
    }

    fn invalid_points(&self) -> Result<(), Failure> {
        let shape = &self.shape;
        for point in shape.curve.invalid_values() {
            let share = self.start()?;
            let (_, kem) = shape.split(share.public(), shape.kem_public_len());
            self.first_refused(&shape.join(&point, kem))?;
            self.second_refused(|answer| {
                let (_, kem) = shape.split(answer, shape.kem_ciphertext_len());
                shape.join(&point, kem)
            })?;
        }
        Ok(())
    }

    fn invalid_kem_values(&self) -> Result<(), Failure> {
        let Some(kem) = &self.shape.kem else {
            return Ok(());
        };
        let Self { subject, shape, .. } = self;
        // No coefficient may reach the modulus (FIPS 203, Section 7.2).
        let public = shape.join(shape.curve.base, &vec![0xff; kem.public_len]);
        self.first_refused(&public)?;
        // A changed ciphertext is not refused; it opens to a secret that nobody knows (FIPS
        // 203, Section 6.3).
        let share = self.start()?;
        let answer = self.group.respond(self.provider.random, share.public());
        let (answer, ours) = subject.succeeds(answer)?;
        let (point, ciphertext) = shape.split(&answer, kem.ciphertext_len);
        let mut ciphertext = ciphertext.to_vec();
        ciphertext[0] ^= 1;
        let changed = shape.join(point, &ciphertext);
        let theirs = subject.succeeds(share.complete(self.group.name(), &changed))?;
        let (_, ours) = shape.split(ours.as_ref(), KEM_SECRET_LEN);
        let (_, theirs) = shape.split(theirs.as_ref(), KEM_SECRET_LEN);
        subject.must(ours != theirs, "a changed ciphertext gives another secret")
    }

    fn first_refused(&self, public: &[u8]) -> Result<(), Failure> {
        let responded = self.group.respond(self.provider.random, public);
        self.subject.must(
            responded.err() == Some(CryptoError::InvalidPublicValue),
            "the second side refuses an invalid public value",
        )
    }

    /// `spoil` makes a wrong answer of a right one.
    fn second_refused(&self, spoil: impl FnOnce(&[u8]) -> Vec<u8>) -> Result<(), Failure> {
        let (share, answer) = self.started_and_answered()?;
        let completed = share.complete(self.group.name(), &spoil(&answer));
        self.subject.must(
            completed.err() == Some(CryptoError::InvalidPublicValue),
            "the first side refuses an invalid public value",
        )
    }
}

fn wrong_lengths(valid: &[u8]) -> [Vec<u8>; 6] {
    let shortened = |len: usize| valid[..len].to_vec();
    [
        Vec::new(),
        shortened(1),
        shortened(valid.len() / 2),
        shortened(valid.len() - 1),
        [valid, &[0]].concat(),
        [valid, valid].concat(),
    ]
}

static X25519: Curve = Curve {
    base: &{
        let mut nine = [0; 32];
        nine[0] = 9;
        nine
    },
    prefix: 0,
    coordinate: 32,
};

static P256: Curve = Curve {
    base: &hex::<65>(
        "04\
         6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
         4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
    ),
    prefix: 1,
    coordinate: 32,
};

static P384: Curve = Curve {
    base: &hex::<97>(
        "04\
         aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b98\
         59f741e082542a385502f25dbf55296c3a545e3872760ab7\
         3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147c\
         e9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
    ),
    prefix: 1,
    coordinate: 48,
};

static P521: Curve = Curve {
    base: &hex::<133>(
        "04\
         00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3d\
         baa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66\
         011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e66\
         2c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650",
    ),
    prefix: 1,
    coordinate: 66,
};

/// Points of X25519 whose order divides 8: the secret would be zero (RFC 7748, Section 6.1).
const LOW_ORDER: [[u8; 32]; 7] = [
    hex("0000000000000000000000000000000000000000000000000000000000000000"),
    hex("0100000000000000000000000000000000000000000000000000000000000000"),
    hex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    hex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    hex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    hex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    hex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
];
