//! What `TinyHeap` does, alone and as a subject of the model.

#[cfg(test)]
mod behaviour;
mod subject;
