//! The flows that are known: those of this process, and those declared for workers outside.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jobmill_model::definition::definition_of;
use jobmill_model::queue::Name;
use jobmill_model::suggest::nearest;
use jobmill_model::{Declaration, Problem, Schema, Timestamp, Value, webhook};
use jobmill_store::{Declared, Store, StoreError};
use parking_lot::RwLock;

use crate::engine::Engine;
use crate::registry::FlowCard;
use crate::unhurried::Unhurried;

/// Why a flow was not declared. Nothing is stored.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DeclareError {
    /// The server itself performs a flow of this name.
    #[error("the server itself performs a flow of this name")]
    BuiltIn,
    /// A schema cannot be used; each problem with its place.
    #[error("a schema of the flow cannot be used")]
    Schema(Vec<Problem>),
    /// There are as many declared flows as there may be.
    #[error("there are as many declared flows as there may be")]
    TooMany,
    /// The store refused it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The declared flows, as they stand in the store.
pub(crate) struct Catalog(RwLock<BTreeMap<Name, Arc<Known>>>);

/// A declared flow with its schemas read.
struct Known {
    declaration: Declaration,
    card: FlowCard,
    input: Schema,
    params: Schema,
    /// When a worker last called for it, in milliseconds; the least number for never.
    last_call: AtomicI64,
}

impl Known {
    fn read(declaration: Declaration) -> Result<Self, Vec<Problem>> {
        let schemas = [
            (&declaration.input_schema, "/input_schema"),
            (&declaration.params_schema, "/params_schema"),
        ];
        let mut problems = Vec::new();
        let mut read = schemas.map(|(text, pointer)| {
            let value = text.to_value().unwrap_or_default();
            let schema = Schema::read(&value, pointer);
            (value, schema.map_err(|wrong| problems.extend(wrong)).ok())
        });
        let [(input_schema, Some(input)), (params_schema, Some(params))] = &mut read else {
            return Err(problems);
        };
        let card = FlowCard {
            name: declaration.name.clone(),
            about: declaration.about.clone(),
            input_schema: std::mem::take(input_schema),
            params_schema: std::mem::take(params_schema),
        };
        let (input, params) = (input.clone(), params.clone());
        Ok(Self { declaration, card, input, params, last_call: AtomicI64::new(i64::MIN) })
    }
}

impl Catalog {
    /// Reads the declared flows. One whose schema this program does not understand, because
    /// another version wrote it, takes any input.
    pub(crate) async fn load(store: &dyn Store) -> Result<Self, StoreError> {
        let mut flows = BTreeMap::new();
        for declaration in store.flow_list().await? {
            let name = declaration.name.clone();
            let known = Known::read(declaration.clone()).or_else(|problems| {
                tracing::warn!(flow = %name, ?problems, "a stored schema is passed over");
                let plain = Declaration::new(name.clone());
                let (input_schema, params_schema) = (plain.input_schema, plain.params_schema);
                Known::read(Declaration { input_schema, params_schema, ..declaration })
            });
            flows.extend(known.map(|known| (name, Arc::new(known))));
        }
        Ok(Self(RwLock::new(flows)))
    }

    /// A worker calls for jobs of these flows.
    pub(crate) fn note_call<'a>(&self, flows: impl Iterator<Item = &'a Name>, now: Timestamp) {
        let declared = self.0.read();
        let called = flows.filter_map(|flow| declared.get(flow));
        called.for_each(|known| known.last_call.store(now.as_millis(), Ordering::Relaxed));
    }

    /// When a worker last called for jobs of a flow, if any has since this process began or the
    /// flow was declared.
    pub(crate) fn last_call(&self, flow: &Name) -> Option<Timestamp> {
        let millis = self.get(flow)?.last_call.load(Ordering::Relaxed);
        (millis != i64::MIN).then(|| Timestamp::from_millis(millis))
    }

    fn get(&self, name: &Name) -> Option<Arc<Known>> {
        self.0.read().get(name).cloned()
    }
}

impl Engine {
    /// Declares a flow for workers outside, or declares it anew.
    ///
    /// # Errors
    /// See [`DeclareError`].
    pub async fn declare(&self, declaration: Declaration) -> Result<Declared, DeclareError> {
        let name = &declaration.name;
        let is_ours = definition_of(name).is_some() || name.as_str() == webhook::FLOW;
        if is_ours || self.shared.registry.card(name).is_some() {
            return Err(DeclareError::BuiltIn);
        }
        let known = Known::read(declaration).map_err(DeclareError::Schema)?;
        let shared = self.shared.clone();
        let declare = async move {
            let declared = shared.store.flow_put(known.declaration.clone()).await?;
            if declared == Declared::Full {
                return Err(DeclareError::TooMany);
            }
            let name = known.declaration.name.clone();
            shared.catalog.0.write().insert(name, Arc::new(known));
            Ok(declared)
        };
        Unhurried::new(declare).await
    }

    /// Forgets a declared flow; answers whether it was declared. Jobs of it stay.
    ///
    /// # Errors
    /// A store that cannot be written.
    pub async fn undeclare(&self, name: &Name) -> Result<bool, StoreError> {
        let (shared, name) = (self.shared.clone(), name.clone());
        let forget = async move {
            let was_there = shared.store.flow_delete(&name).await?;
            shared.catalog.0.write().remove(&name);
            Ok(was_there)
        };
        Unhurried::new(forget).await
    }

    /// Every flow, by name, with its declaration if it is one for workers outside.
    #[must_use]
    pub fn flows(&self) -> Vec<(FlowCard, Option<Declaration>)> {
        let here = self.shared.registry.cards().map(|card| (card.clone(), None));
        let declared = self.shared.catalog.0.read();
        let outside = declared.values().map(|it| (it.card.clone(), Some(it.declaration.clone())));
        let mut flows: Vec<_> = here.chain(outside).collect();
        flows.sort_by(|(one, _), (two, _)| one.name.cmp(&two.name));
        flows
    }

    /// The flow of this name.
    #[must_use]
    pub fn flow(&self, name: &Name) -> Option<(FlowCard, Option<Declaration>)> {
        let here = self.shared.registry.card(name).map(|card| (card.clone(), None));
        here.or_else(|| {
            let known = self.shared.catalog.get(name)?;
            Some((known.card.clone(), Some(known.declaration.clone())))
        })
    }

    /// The declaration of a flow for workers outside.
    #[must_use]
    pub fn declaration(&self, name: &Name) -> Option<Declaration> {
        self.shared.catalog.get(name).map(|known| known.declaration.clone())
    }

    /// What is wrong with an input and params for a flow; nothing to say of an unknown one.
    #[must_use]
    pub fn check_input(&self, flow: &Name, input: &Value, params: &Value) -> Vec<Problem> {
        match self.shared.catalog.get(flow) {
            None => self.shared.registry.check(flow, input, params),
            Some(known) => {
                let mut problems = known.input.check(input, "/input");
                problems.extend(known.params.check(params, "/params"));
                problems
            }
        }
    }

    pub(crate) fn knows_flow(&self, name: &Name) -> bool {
        self.shared.registry.card(name).is_some() || self.shared.catalog.get(name).is_some()
    }

    /// A known flow whose name is near.
    pub(crate) fn near_flow(&self, name: &str) -> Option<String> {
        let declared = self.shared.catalog.0.read();
        let here = self.shared.registry.cards().map(|card| card.name.as_str());
        nearest(name, here.chain(declared.keys().map(Name::as_str))).map(str::to_owned)
    }
}
