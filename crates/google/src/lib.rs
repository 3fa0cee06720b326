//! Google's services as pure data: what their requests mean and what their answers look like.
//!
//! Nothing here touches a store, a network or a clock: state, time and chance are arguments.
//!
//! | module | what it knows |
//! |---|---|
//! | [`wire`] | the shapes that all of Google's REST services share |

pub mod wire;
