//! API keys, made up.

use jobmill_model::key::{ApiKey, Roles};

use super::super::super::key::key;
use super::super::super::stage::name;
use super::super::op::Op;
use super::World;

const KEYS: [&str; 4] = ["ci", "ops", "night", "café"];

impl World {
    pub(super) fn key_op(&mut self) -> Op {
        let text = *self.chance.pick(&KEYS).expect("there are names");
        match self.chance.below(8) {
            0..3 => Op::PutKey(self.key(text)),
            3 => Op::DeleteKey(name(text)),
            4..6 => Op::TouchKeys(vec![(name(text), self.now()), (name("gone"), self.now())]),
            _ => Op::ListKeys,
        }
    }

    fn key(&mut self, text: &str) -> ApiKey {
        let mut key = key(text);
        key.new.roles = Roles::from_bits(1 + self.chance.below(15) as u8);
        key.new.rate_per_minute = self.chance.percent(50).then(|| self.chance.below(99) as u32);
        key.new.expires_at = self.chance.percent(50).then(|| self.now());
        key
    }
}
