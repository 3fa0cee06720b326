//! Definitions, made up: deployed, read, removed.

use jobmill_model::definition::{CallLogLevel, Change, HistoryLevel, Place, Texts};
use jobmill_model::queue::Name;

use super::super::super::stage::name;
use super::World;
use crate::exam::random::op::Op;
use crate::{DefinitionPut, PutMode};

const NAMES: [&str; 4] = ["orders", "refunds", "mail-2", "zoo"];

impl World {
    pub(super) fn deploying(&mut self) -> Op {
        match self.chance.below(14) {
            0..6 => Op::Deploy(Box::new(self.definition_put())),
            6..8 => Op::Undeploy(self.some_definition()),
            8..10 => {
                let revision = format!("{:06}-aaa", 1 + self.chance.below(3));
                Op::Definition(self.some_definition(), self.chance.percent(60).then_some(revision))
            }
            10 => {
                let after = self.chance.percent(40).then(|| self.some_definition());
                Op::Definitions(after, 1 + self.chance.size(3))
            }
            _ => {
                let before = self.chance.percent(40).then(|| self.chance.below(4));
                Op::Revisions(self.some_definition(), before, 1 + self.chance.size(3))
            }
        }
    }

    fn some_definition(&mut self) -> Name {
        name(self.chance.pick(&NAMES).copied().unwrap_or("orders"))
    }

    fn definition_put(&mut self) -> DefinitionPut {
        let modes = [PutMode::Create, PutMode::Update, PutMode::Either, PutMode::Either];
        let mode = self.chance.pick(&modes).copied().unwrap_or(PutMode::Either);
        let nowhere = mode == PutMode::Update && self.chance.percent(50);
        let place = Place { project: "p".to_owned(), location: "l".to_owned() };
        DefinitionPut {
            name: if nowhere { name("nowhere") } else { self.some_definition() },
            place,
            change: self.change(),
            mode,
            suffix: "aaa".to_owned(),
            now: self.now(),
        }
    }

    fn change(&mut self) -> Change {
        let number = self.chance.below(3).to_string();
        let texts = Texts::from([("k".to_owned(), number.clone())]);
        let mut give = || self.chance.percent(30);
        Change {
            source: give().then(|| number.as_str().into()),
            service_account: give().then(|| number.clone()),
            env: give().then(|| texts.clone()),
            description: give().then(|| number.clone()),
            labels: give().then_some(texts),
            call_log_level: give().then_some(CallLogLevel::AllCalls),
            history_level: give().then_some(HistoryLevel::Detailed),
        }
    }
}
