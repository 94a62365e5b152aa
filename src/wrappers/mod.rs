//! What can be put around any global allocator, of this crate or another. This layer uses no other.

mod on_refusal;
mod outlined;
#[cfg(feature = "profile")]
pub mod profile;
#[cfg(feature = "record")]
mod recorder;
#[cfg(feature = "trace")]
mod trace;

pub use on_refusal::OnRefusal;
pub use outlined::Outlined;
#[cfg(feature = "record")]
pub use recorder::{Recorder, Recording};
#[cfg(feature = "trace")]
pub use trace::{Action, Event, Traced};
