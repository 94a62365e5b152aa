//! Modules in V8: one Node process for each, which gets its commands line by line.

use crate::engine::{Instance, Limits, Trapped};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

pub(crate) struct InV8 {
    node: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl InV8 {
    /// Instantiates `module`, with a memory of `imported_pages` if it imports one.
    pub(crate) fn new(module: &[u8], limits: Limits, imported_pages: Option<u32>) -> Self {
        assert!(
            limits.refused_growth.is_empty(),
            "V8 cannot be told which growth to refuse"
        );
        assert!(!limits.traps_on_refusal, "V8 ends no call that asks for memory");
        assert!(!limits.traps_on_imports, "V8 is given no functions to import");
        let mut node = Command::new("node")
            .args(["--input-type=module", "--eval", include_str!("in_v8.mjs")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Node must be in PATH: install Node.js 20 or newer");
        let commands = node.stdin.take().expect("the pipe was asked for");
        let answers = BufReader::new(node.stdout.take().expect("the pipe was asked for"));
        let mut engine = InV8 {
            node,
            commands,
            answers,
        };
        let memory = imported_pages.map(|initial| json!({ "initial": initial, "maximum": limits.max_pages }));
        engine.ask::<()>(json!({ "do": "instantiate", "module": module, "memory": memory }));
        engine
    }

    /// Sends a command and waits for what it returns.
    fn ask<Answer: DeserializeOwned>(&mut self, command: Value) -> Answer {
        let mut answer = String::new();
        writeln!(self.commands, "{command}")
            .and_then(|()| self.answers.read_line(&mut answer))
            .expect("Node must answer each command; its own error stands above");
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("Node should not answer {answer:?}: {error}"))
    }
}

impl Drop for InV8 {
    fn drop(&mut self) {
        // It may have ended by itself, after an error.
        let _ = self.node.kill();
        let _ = self.node.wait();
    }
}

impl Instance for InV8 {
    fn call(&mut self, function: &str, arguments: &[u32]) -> Result<Option<u32>, Trapped> {
        let answer: Value = self.ask(json!({ "do": "call", "function": function, "arguments": arguments }));
        match answer.get("trap") {
            Some(trap) => {
                assert_eq!(
                    trap, "unreachable",
                    "{function} must return or trap on purpose, but got: {trap}"
                );
                Err(Trapped)
            }
            None => Ok(answer.get("returned").and_then(Value::as_u64).map(|value| value as u32)),
        }
    }

    fn global(&mut self, name: &str) -> Option<u32> {
        self.ask(json!({ "do": "global", "name": name }))
    }

    fn pages(&mut self) -> usize {
        self.ask(json!({ "do": "pages" }))
    }

    fn growths(&self) -> Option<usize> {
        None
    }

    fn grow(&mut self, pages: usize) -> bool {
        self.ask(json!({ "do": "grow", "pages": pages }))
    }

    fn read(&mut self, address: u32, length: u32) -> Vec<u8> {
        self.ask(json!({ "do": "read", "address": address, "length": length }))
    }

    fn write(&mut self, address: u32, bytes: &[u8]) {
        self.ask(json!({ "do": "write", "address": address, "bytes": bytes }))
    }

    fn fill(&mut self, address: u32, length: u32, fill: u8) {
        self.ask(json!({ "do": "fill", "address": address, "length": length, "fill": fill }))
    }
}
