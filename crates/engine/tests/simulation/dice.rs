//! Seeded randomness: splitmix64, a stream of its own for each purpose.

use jobmill_engine::chance::Chance;
use parking_lot::Mutex;

/// A stream of numbers that a seed and a purpose decide.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        let mix = |state: u64, byte: u8| (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let mut dice = Self(purpose.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, mix));
        dice.next();
        dice
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `least` to `most`.
    pub(crate) fn within(&mut self, least: u64, most: u64) -> u64 {
        least + self.next() % (most - least + 1)
    }

    /// True so many times in a hundred.
    pub(crate) fn percent(&mut self, chance: u64) -> bool {
        self.next() % 100 < chance
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let count = from.len() as u64;
        (count > 0).then(|| &from[(self.next() % count) as usize])
    }

    /// Mostly short, sometimes long: so many microseconds.
    pub(crate) fn delay(&mut self, usual: u64, rare: u64) -> u64 {
        let most = if self.percent(4) { rare } else { usual };
        self.within(0, most)
    }
}

/// The dice as the engine's source of random bytes.
pub(crate) struct DiceChance(Mutex<Dice>);

impl DiceChance {
    pub(crate) fn new(dice: Dice) -> Self {
        Self(Mutex::new(dice))
    }
}

impl Chance for DiceChance {
    fn fill(&self, buffer: &mut [u8]) {
        let mut dice = self.0.lock();
        for part in buffer.chunks_mut(8) {
            part.copy_from_slice(&dice.next().to_be_bytes()[..part.len()]);
        }
    }
}
