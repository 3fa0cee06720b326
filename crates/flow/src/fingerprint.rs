//! Numbers for texts that can be joined and taken apart as the texts can.
//!
//! A text is read as the digits of a number in a large base, modulo a prime. Equal texts have
//! equal fingerprints; different texts nearly always have different ones, so a match must be
//! looked at, a mismatch need not.

/// A Mersenne prime, so that a remainder is two additions.
const PRIME: u64 = (1 << 61) - 1;
/// Any number between 256 and the prime will do.
const BASE: u64 = 0x0bad_5eed_1e55_0b57;

/// The fingerprint of a text.
pub(crate) fn of(text: &[u8]) -> u64 {
    // No digit is 0, so that leading zero bytes count.
    text.iter().fold(0, |sum, &byte| plus(times(sum, BASE), u64::from(byte) + 1))
}

/// The fingerprint of `start` and `rest` in a row; `shift` is [`shift`] of the rest's length.
pub(crate) fn joined(start: u64, rest: u64, shift: u64) -> u64 {
    plus(times(start, shift), rest)
}

/// What a fingerprint is multiplied with when `len` bytes follow.
pub(crate) fn shift(len: usize) -> u64 {
    power(BASE, len as u64)
}

/// The fingerprint of what follows `start` in `whole`, which is `rest_len` bytes long.
pub(crate) fn rest_of(whole: u64, start: u64, rest_len: usize) -> u64 {
    minus(whole, times(start, shift(rest_len)))
}

/// The fingerprint of what precedes `rest` in `whole`; `rest` is `rest_len` bytes long.
pub(crate) fn start_of(whole: u64, rest: u64, rest_len: usize) -> u64 {
    // By Fermat, x^(p-2) is the inverse of x.
    let back = power(shift(rest_len), PRIME - 2);
    times(minus(whole, rest), back)
}

fn plus(a: u64, b: u64) -> u64 {
    let sum = a + b;
    if sum >= PRIME { sum - PRIME } else { sum }
}

fn minus(a: u64, b: u64) -> u64 {
    plus(a, PRIME - b)
}

fn times(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    plus(product as u64 & PRIME, (product >> 61) as u64)
}

fn power(mut base: u64, mut exponent: u64) -> u64 {
    let mut result = 1;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = times(result, base);
        }
        base = times(base, base);
        exponent >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn fingerprints_join_and_come_apart_as_texts_do(start: Vec<u8>, rest: Vec<u8>) {
            let whole = of(&[&*start, &*rest].concat());
            let (a, b) = (of(&start), of(&rest));
            prop_assert_eq!(joined(a, b, shift(rest.len())), whole);
            prop_assert_eq!(rest_of(whole, a, rest.len()), b);
            prop_assert_eq!(start_of(whole, b, rest.len()), a);
        }
    }

    #[test]
    fn zero_bytes_count() {
        assert_ne!(of(b"\0"), of(b"\0\0"));
    }
}
