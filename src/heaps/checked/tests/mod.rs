//! What `CheckedHeap` does, for right use and for misuse, and as a subject of the model.

#[cfg(test)]
mod behaviour;
pub(crate) mod hostile;
#[cfg(test)]
mod misuse;
mod subject;
