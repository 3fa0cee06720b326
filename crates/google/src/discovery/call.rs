//! A call of a method: from a connector's arguments or an HTTP request, and to one.

use jobmill_model::{Map, Value};

use super::table::{METHODS, Method};
use super::template::{Piece, pieces, take_apart};
use crate::wire::Error;
use crate::wire::read::{self, Read};

/// A call of a method.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The method.
    pub method: &'static Method,
    /// Its parameters by name, those within others with a dot.
    pub params: Map,
    /// What is sent beside them.
    pub body: Value,
}

/// Says how a connector behaves; nothing that its service is told.
const CONNECTOR_PARAMS: &str = "connector_params";

impl Call {
    /// The call that a connector's arguments make: an object of parameters and a `body`.
    ///
    /// # Errors
    /// Arguments by position, unknown ones, and a path's parameter that is missing.
    pub fn of_connector(method: &'static Method, args: &Value) -> Read<Self> {
        let Value::Map(args) = args else {
            return Err(Error::invalid(format!(
                "the arguments of {} are given by name, got {}",
                method.name,
                args.kind()
            )));
        };
        let mut params = Map::new();
        let mut body = Value::Null;
        for (name, value) in args.iter() {
            match (&**name, value) {
                (CONNECTOR_PARAMS, _) | (_, Value::Null) => {}
                ("body", value) => body = value.clone(),
                (name, Value::Map(inner)) => {
                    for (key, value) in inner.iter() {
                        params.insert(format!("{name}.{key}"), value.clone());
                    }
                }
                (name, value) => drop(params.insert(name, value.clone())),
            }
        }
        for name in params.keys() {
            if !method.takes(name) {
                let takes: Vec<_> = method.params().collect();
                return Err(Error::invalid(format!(
                    "unknown argument {name:?} of {}; it takes {} and body",
                    method.name,
                    takes.join(", ")
                )));
            }
        }
        let call = Self { method, params, body };
        for name in method.path_params() {
            if call.text(name)?.is_none_or(str::is_empty) {
                return Err(Error::invalid(format!(
                    "the argument {name:?} of {} is missing",
                    method.name
                )));
            }
        }
        Ok(call)
    }

    /// The call that an HTTP request makes; `path` is decoded and begins behind the first slash.
    #[must_use]
    pub fn of_request<'q>(
        verb: &str,
        path: &str,
        query: impl Iterator<Item = (&'q str, &'q str)>,
        body: Value,
    ) -> Option<Self> {
        let methods = || METHODS.iter().filter(|method| method.verb == verb);
        let fits = |method: &'static Method| Some((method, take_apart(method.path, path)?));
        // A document that cannot have this name: its method says what is wrong with it.
        let almost = |method: &'static Method| {
            let name = path.strip_prefix("v1/").filter(|name| name.contains("/documents/"))?;
            (method.path == "v1/{+name}").then(|| (method, vec![("name", name)]))
        };
        let (method, found) = methods().find_map(fits).or_else(|| methods().find_map(almost))?;
        let mut params: Map = found.into_iter().map(|(name, text)| (name, text.into())).collect();
        for (name, text) in query {
            // `updateMask=a,b` is short for `updateMask.fieldPaths=a` and `…=b`.
            let long = format!("{name}.fieldPaths");
            let (name, texts): (&str, Vec<&str>) = match method.query.contains(&&*long) {
                true => (&long, text.split(',').collect()),
                false => (name, vec![text]),
            };
            if !method.query.contains(&name) {
                continue;
            }
            for text in texts {
                let value = match params.get(name) {
                    None => text.into(),
                    Some(Value::List(items)) => {
                        Value::list(items.iter().cloned().chain([text.into()]))
                    }
                    Some(one) => Value::list([one.clone(), text.into()]),
                };
                params.insert(name, value);
            }
        }
        Some(Self { method, params, body })
    }

    /// A parameter as text.
    ///
    /// # Errors
    /// Another kind of value.
    pub fn text(&self, name: &str) -> Read<Option<&str>> {
        read::text_or(self.params.get(name), name)
    }

    /// A path's parameter.
    ///
    /// # Errors
    /// Another kind of value, or none.
    pub fn needed(&self, name: &str) -> Read<&str> {
        self.text(name)?.ok_or_else(|| Error::invalid(format!("{name} is missing")))
    }

    /// A parameter as a number that is not negative.
    ///
    /// # Errors
    /// Another kind of value.
    pub fn number(&self, name: &str) -> Read<Option<u64>> {
        let Some(number) = read::integer_or(self.params.get(name), name)? else { return Ok(None) };
        let number = u64::try_from(number);
        number.map(Some).map_err(|_| Error::invalid(format!("{name} is negative")))
    }

    /// A parameter as a list of texts, if it is given.
    ///
    /// # Errors
    /// Another kind of value.
    pub fn list(&self, name: &str) -> Read<Option<Vec<&str>>> {
        match self.params.get(name) {
            None => Ok(None),
            Some(Value::List(items)) => {
                items.iter().map(|item| read::text(item, name)).collect::<Read<_>>().map(Some)
            }
            Some(one) => Ok(Some(vec![read::text(one, name)?])),
        }
    }

    /// The path and the query of the HTTP request that makes this call.
    #[must_use]
    pub fn target(&self) -> (String, Vec<(String, String)>) {
        let mut path = String::from("/");
        for piece in pieces(self.method.path) {
            match piece {
                Piece::Text(text) => path.push_str(text),
                Piece::Param(name, many) => {
                    let value = self.params.get(name).map(plain).unwrap_or_default();
                    path.push_str(&encoded(&value, many));
                }
            }
        }
        let mut query = Vec::new();
        for name in self.method.query {
            match self.params.get(name) {
                None => {}
                Some(Value::List(items)) => {
                    query.extend(items.iter().map(|item| ((*name).to_owned(), plain(item))));
                }
                Some(value) => query.push(((*name).to_owned(), plain(value))),
            }
        }
        (path, query)
    }
}

impl Method {
    /// The parameters in its path.
    pub fn path_params(&self) -> impl Iterator<Item = &'static str> {
        pieces(self.path).into_iter().filter_map(|piece| match piece {
            Piece::Param(name, _) => Some(name),
            Piece::Text(_) => None,
        })
    }

    fn params(&self) -> impl Iterator<Item = &'static str> {
        self.path_params().chain(self.query.iter().copied())
    }

    /// Whether it has a parameter of this name.
    #[must_use]
    pub fn takes(&self, name: &str) -> bool {
        self.params().any(|known| known == name)
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Everything but what a path may hold as it is.
fn encoded(text: &str, slashes: bool) -> String {
    let mut path = String::with_capacity(text.len());
    for byte in text.bytes() {
        let kept = byte.is_ascii_alphanumeric() || b"-_.~()".contains(&byte);
        match byte {
            b'/' if slashes => path.push('/'),
            byte if kept => path.push(char::from(byte)),
            byte => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}
