//! API keys: who may ask for what, and how often.
//!
//! A key is kept as the hash of its secret; the secret is shown once, when it is made.

use std::fmt;

use crate::job::Fingerprint;
use crate::queue::Name;
use crate::time::{Span, Timestamp};

/// What a key allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// To read everything but keys.
    Read,
    /// To submit work and read everything.
    Submit,
    /// To lease work and bring its outcome.
    Work,
    /// Everything.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Read, Self::Submit, Self::Work, Self::Admin];

    /// Its name.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Submit => "submit",
            Self::Work => "work",
            Self::Admin => "admin",
        }
    }

    /// The role of this name.
    #[must_use]
    pub fn of_word(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == text)
    }

    /// Whether it allows what another role is needed for.
    #[must_use]
    pub fn allows(self, needed: Self) -> bool {
        match self {
            Self::Admin => true,
            Self::Submit => matches!(needed, Self::Submit | Self::Read),
            Self::Read | Self::Work => self == needed,
        }
    }
}

/// The roles of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Roles(u8);

impl Roles {
    /// Every role.
    pub const ADMIN: Self = Self(1 << Role::Admin as u8);

    /// These roles.
    pub fn of(roles: impl IntoIterator<Item = Role>) -> Self {
        Self(roles.into_iter().fold(0, |bits, role| bits | 1 << role as u8))
    }

    /// The roles as the bits of a number, as they are stored.
    #[must_use]
    pub fn bits(self) -> u8 {
        self.0
    }

    /// The roles of a stored number; bits that are none are passed over.
    #[must_use]
    pub fn from_bits(bits: u8) -> Self {
        Self(bits & 0b1111)
    }

    /// The roles, one by one.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.0 >> *role as u8 & 1 == 1)
    }

    /// Whether one of them allows what a role is needed for.
    #[must_use]
    pub fn allow(self, needed: Role) -> bool {
        self.iter().any(|role| role.allows(needed))
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.iter().map(Role::word).collect();
        f.write_str(&words.join(", "))
    }
}

/// What a key is asked to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// Its name.
    pub name: Name,
    /// What it allows; at least one role.
    pub roles: Roles,
    /// How many requests it may make in a minute; as many as it likes if nothing is said.
    pub rate_per_minute: Option<u32>,
    /// When it ends to be good.
    pub expires_at: Option<Timestamp>,
}

/// A key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// What it was asked to be.
    pub new: NewKey,
    /// The hash of its secret.
    pub hash: Fingerprint,
    /// When it was made.
    pub created_at: Timestamp,
    /// About when it was used last.
    pub used_at: Option<Timestamp>,
}

impl ApiKey {
    /// Whether it is good at `now`.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.new.expires_at.is_none_or(|end| now < end)
    }
}

/// The secret of a key, made of 32 random bytes.
#[must_use]
pub fn secret(random: [u8; 32]) -> String {
    let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("jm_{digits}")
}

/// The requests that a key has left: a minute's worth at most, refilled evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// What is left, in requests times the milliseconds of a minute.
    left: u64,
    filled_at: Timestamp,
}

const MINUTE_MILLIS: u64 = 60_000;

impl Bucket {
    /// A full one.
    #[must_use]
    pub fn full(per_minute: u32, now: Timestamp) -> Self {
        Self { left: u64::from(per_minute) * MINUTE_MILLIS, filled_at: now }
    }

    /// Takes one request out.
    ///
    /// # Errors
    /// There is none left; how long until there is.
    pub fn take(&mut self, per_minute: u32, now: Timestamp) -> Result<(), Span> {
        let rate = u64::from(per_minute.max(1));
        let passed = now.since(self.filled_at).as_millis();
        let refilled = self.left.saturating_add(passed.saturating_mul(rate));
        self.left = refilled.min(rate * MINUTE_MILLIS);
        // A clock that is set back refills nothing, and does not stop the refilling either.
        self.filled_at = now;
        match self.left.checked_sub(MINUTE_MILLIS) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(Span::from_millis((MINUTE_MILLIS - self.left).div_ceil(rate))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_allows_what_its_sentence_says() {
        let allowed = |role: Role| {
            Role::ALL.into_iter().filter(|needed| role.allows(*needed)).collect::<Vec<_>>()
        };
        assert_eq!(allowed(Role::Read), [Role::Read]);
        assert_eq!(allowed(Role::Submit), [Role::Read, Role::Submit]);
        assert_eq!(allowed(Role::Work), [Role::Work]);
        assert_eq!(allowed(Role::Admin), Role::ALL);
    }

    #[test]
    fn roles_read_back_from_their_bits_and_words() {
        for bits in 0..16 {
            let roles = Roles::from_bits(bits);
            assert_eq!(Roles::of(roles.iter()), roles);
            assert_eq!(roles.bits(), bits);
        }
        assert!(Role::ALL.iter().all(|role| Role::of_word(role.word()) == Some(*role)));
        assert!(Roles::of([Role::Work, Role::Read]).allow(Role::Read));
        assert!(!Roles::of([Role::Work, Role::Read]).allow(Role::Submit));
        assert_eq!(Roles::of([Role::Work, Role::Read]).to_string(), "read, work");
    }

    #[test]
    fn a_bucket_gives_a_minute_s_worth_and_then_evenly() {
        let at = |millis: i64| Timestamp::from_millis(1_000_000 + millis);
        let mut bucket = Bucket::full(3, at(0));
        assert_eq!(
            [bucket.take(3, at(0)), bucket.take(3, at(0)), bucket.take(3, at(0))],
            [Ok(()); 3]
        );
        assert_eq!(bucket.take(3, at(0)), Err(Span::from_secs(20)));
        assert_eq!(bucket.take(3, at(19_999)), Err(Span::from_millis(1)));
        assert_eq!(bucket.take(3, at(20_000)), Ok(()));
        assert_eq!(bucket.take(3, at(-5_000)), Err(Span::from_secs(20)), "a clock set back");
        assert_eq!(bucket.take(3, at(15_000)), Ok(()));
        let taken = (0..9).filter(|_| bucket.take(3, at(9_000_000)).is_ok()).count();
        assert_eq!(taken, 3, "no more than a minute's worth is saved up");
    }
}
