//! The engines that run modules: V8 and JavaScriptCore in a process of their own, wasmtime in this one.

pub mod javascript;
#[cfg(feature = "wasmtime")]
pub mod wasmtime;
pub mod workers;
