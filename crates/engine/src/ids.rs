//! Makes ids that sort in the order of their making, within a process and a millisecond too.

use jobmill_model::{JobId, Timestamp};
use parking_lot::Mutex;

use crate::chance::Chance;

/// Ids of one millisecond differ in a counter of 26 bits that begins at random in its lower half.
const COUNTER_START_MASK: u32 = (1 << 25) - 1;

#[derive(Default)]
pub(crate) struct Ids {
    last: Mutex<(Timestamp, u32)>,
}

impl Ids {
    pub(crate) fn next(&self, at: Timestamp, chance: &dyn Chance) -> JobId {
        let mut random = [0; 10];
        chance.fill(&mut random);
        let counter = {
            let mut last = self.last.lock();
            let drawn = u32::from_be_bytes([random[0], random[1], random[2], random[3]]);
            let counter = if last.0 == at { last.1 + 1 } else { drawn & COUNTER_START_MASK };
            *last = (at, counter);
            counter
        };
        let [a, b, c, d] = split(counter);
        random[..4].copy_from_slice(&[a, b, c, d]);
        JobId::from_parts(at, random)
    }
}

/// The counter over the bytes of a version 7 id that follow the time: 4, 8, 6 and 8 bits.
fn split(counter: u32) -> [u8; 4] {
    let bits = |shift: u32, mask: u32| u8::try_from(counter >> shift & mask).unwrap_or(u8::MAX);
    [bits(22, 0x0f), bits(14, 0xff), bits(8, 0x3f), bits(0, 0xff)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::SystemChance;

    #[test]
    fn ids_of_one_millisecond_sort_in_the_order_of_their_making() {
        let ids = Ids::default();
        let at = Timestamp::from_millis(1_000);
        let made: Vec<_> = (0..100_000).map(|_| ids.next(at, &SystemChance)).collect();
        assert!(made.is_sorted_by(|a, b| a < b));
        assert!(made.iter().all(|id| id.made_at() == at));
    }
}
