//! Which event of an output may follow which: exactly one value, nested as JSON nests.

use jobmill_model::Fault;

/// How far a result has been written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Place {
    /// Nothing is written yet.
    #[default]
    Start,
    /// In the object that is the result.
    Object,
    /// In the list that is the result.
    List,
    /// In an object that is an item of the list.
    ListObject,
    /// The result is complete.
    End,
    /// An event failed, so the result has a hole.
    Broken,
}

impl Place {
    pub(super) fn begin_object(&mut self) -> Result<(), Fault> {
        match self {
            Self::Start => self.go(Self::Object),
            Self::List => self.go(Self::ListObject),
            _ => self.refuse("an object begins"),
        }
    }

    pub(super) fn entry(&mut self) -> Result<(), Fault> {
        match self {
            Self::Object | Self::ListObject => Ok(()),
            _ => self.refuse("an entry is written"),
        }
    }

    pub(super) fn end_object(&mut self) -> Result<(), Fault> {
        match self {
            Self::Object => self.go(Self::End),
            Self::ListObject => self.go(Self::List),
            _ => self.refuse("an object ends"),
        }
    }

    pub(super) fn begin_list(&mut self) -> Result<(), Fault> {
        match self {
            Self::Start => self.go(Self::List),
            _ => self.refuse("a list begins"),
        }
    }

    pub(super) fn end_list(&mut self) -> Result<(), Fault> {
        match self {
            Self::List => self.go(Self::End),
            _ => self.refuse("a list ends"),
        }
    }

    pub(super) fn value(&mut self) -> Result<(), Fault> {
        match self {
            Self::Start => self.go(Self::End),
            Self::List => Ok(()),
            _ => self.refuse("a value is written"),
        }
    }

    pub(super) fn finish(&mut self) -> Result<(), Fault> {
        match self {
            Self::End => Ok(()),
            _ => self.refuse("the work ends"),
        }
    }

    fn go(&mut self, next: Self) -> Result<(), Fault> {
        *self = next;
        Ok(())
    }

    fn refuse(&mut self, event: &str) -> Result<(), Fault> {
        let whereabouts = match self {
            Self::Start => "before anything is written",
            Self::Object => "inside the object",
            Self::List => "inside the list",
            Self::ListObject => "inside an object of the list",
            Self::End => "after the result is complete",
            Self::Broken => "after an event that failed",
        };
        *self = Self::Broken;
        Err(broken(format!("{event} {whereabouts}")))
    }
}

/// The fault of a flow that does not write exactly one value.
pub(super) fn broken(what: impl std::fmt::Display) -> Fault {
    Fault::last("OutputBroken", format!("the flow does not write exactly one value: {what}"))
}
