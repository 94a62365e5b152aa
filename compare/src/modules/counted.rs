//! Modules that count the instructions they execute.
//!
//! The counter is written into a copy of the module. So every engine gives the same figure. The count is that of
//! wasmtime's fuel counter: one for each instruction, except for those that become no machine code, one more for each call,
//! and one for each byte that `memory.copy`, `memory.fill` or `memory.init` writes.

use crate::shared::kept_files::keep;
use crate::shared::places::Places;
use anyhow::{Context, Result, anyhow};
use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    CodeSection, ConstExpr, ExportKind, ExportSection, Function, GlobalSection, GlobalType, Instruction, Module,
    SectionId, ValType,
};
use wasmparser::{FunctionBody, Operator, Parser, Payload};

/// The global that a counting module exports, an i64.
pub const COUNTER: &str = "executed_instructions";

/// The file of a module like that in `module` that counts what it executes in the global [`COUNTER`].
pub fn counting(module: &Path, places: &Places) -> Result<PathBuf> {
    let stem = module.file_stem().unwrap_or_default().to_string_lossy();
    let path = places.modules().join(format!("{stem}-counting.wasm"));
    if !path.exists() {
        let bytes = fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
        let counting = with_counter(&bytes).with_context(|| format!("cannot count in {}", module.display()))?;
        keep(&path, |unfinished| {
            fs::write(unfinished, counting).with_context(|| format!("cannot write {}", unfinished.display()))
        })?;
    }
    Ok(path)
}

/// The same module with a counter.
fn with_counter(module: &[u8]) -> Result<Vec<u8>> {
    let mut counting = Module::new();
    let mut globals = 0;
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::GlobalSection(section) = payload.context("this is not a module")? {
            globals = section.count();
        }
    }
    let mut counter = Counter {
        counter: globals,
        bytes: globals + 1,
        defined: false,
    };
    counter
        .parse_core_module(&mut counting, Parser::new(0), module)
        .map_err(|error| anyhow!("this is not a module: {error}"))?;
    Ok(counting.finish())
}

/// Copies a module without imports, and adds to its counter wherever a straight piece of code ends.
struct Counter {
    /// The index of the counter.
    counter: u32,
    /// The index of a global for the bytes that an instruction is about to write.
    bytes: u32,
    /// Whether both are defined yet.
    defined: bool,
}

impl Counter {
    fn define(&mut self, globals: &mut GlobalSection) {
        self.defined = true;
        for (val_type, zero) in [
            (ValType::I64, ConstExpr::i64_const(0)),
            (ValType::I32, ConstExpr::i32_const(0)),
        ] {
            let global = GlobalType {
                val_type,
                mutable: true,
                shared: false,
            };
            globals.global(global, &zero);
        }
    }

    /// Adds `executed` instructions to the counter, which leaves the operands of the code around it as they are.
    fn add(&self, function: &mut Function, executed: i64) {
        if executed > 0 {
            function
                .instruction(&Instruction::GlobalGet(self.counter))
                .instruction(&Instruction::I64Const(executed))
                .instruction(&Instruction::I64Add)
                .instruction(&Instruction::GlobalSet(self.counter));
        }
    }

    /// Adds the number on top of the operands, and leaves it there.
    fn add_bytes(&self, function: &mut Function) {
        function
            .instruction(&Instruction::GlobalSet(self.bytes))
            .instruction(&Instruction::GlobalGet(self.bytes))
            .instruction(&Instruction::GlobalGet(self.bytes))
            .instruction(&Instruction::I64ExtendI32U)
            .instruction(&Instruction::GlobalGet(self.counter))
            .instruction(&Instruction::I64Add)
            .instruction(&Instruction::GlobalSet(self.counter));
    }
}

impl Reencode for Counter {
    type Error = Infallible;

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: wasmparser::GlobalSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        utils::parse_global_section(self, globals, section)?;
        self.define(globals);
        Ok(())
    }

    fn intersperse_section_hook(
        &mut self,
        module: &mut Module,
        _after: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Result<(), Error<Infallible>> {
        let before_globals = matches!(
            before,
            Some(
                SectionId::Custom
                    | SectionId::Type
                    | SectionId::Import
                    | SectionId::Function
                    | SectionId::Table
                    | SectionId::Memory
                    | SectionId::Tag
                    | SectionId::Global
            )
        );
        if !self.defined && !before_globals {
            let mut globals = GlobalSection::new();
            self.define(&mut globals);
            module.section(&globals);
        }
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        utils::parse_export_section(self, exports, section)?;
        exports.export(COUNTER, ExportKind::Global, self.counter);
        Ok(())
    }

    fn parse_function_body(&mut self, code: &mut CodeSection, body: FunctionBody<'_>) -> Result<(), Error<Infallible>> {
        let mut function = self.new_function_with_parsed_locals(&body)?;
        // The call itself.
        let mut executed = 1;
        for operator in body.get_operators_reader()? {
            let operator = operator?;
            executed += cost(&operator);
            if writes_bytes(&operator) {
                self.add_bytes(&mut function);
            }
            if ends_straight_code(&operator) {
                self.add(&mut function, executed);
                executed = 0;
            }
            function.instruction(&self.instruction(operator)?);
        }
        code.function(&function);
        Ok(())
    }
}

/// What an instruction counts, beside the bytes that it writes.
fn cost(operator: &Operator) -> i64 {
    match operator {
        Operator::Nop
        | Operator::Drop
        | Operator::Block { .. }
        | Operator::Loop { .. }
        | Operator::Unreachable
        | Operator::Return
        | Operator::Else
        | Operator::End => 0,
        _ => 1,
    }
}

/// Whether the number on top of the operands says how many bytes the instruction writes.
fn writes_bytes(operator: &Operator) -> bool {
    matches!(
        operator,
        Operator::MemoryCopy { .. } | Operator::MemoryFill { .. } | Operator::MemoryInit { .. }
    )
}

/// Whether what comes next can be executed another number of times than what came before.
fn ends_straight_code(operator: &Operator) -> bool {
    matches!(
        operator,
        Operator::Unreachable
            | Operator::Return
            | Operator::ReturnCall { .. }
            | Operator::ReturnCallIndirect { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::Else
            | Operator::End
            | Operator::Br { .. }
            | Operator::BrIf { .. }
            | Operator::BrTable { .. }
    )
}

#[cfg(all(test, feature = "wasmtime"))]
mod tests {
    use super::{COUNTER, with_counter};
    use wasmtime::{Config, Engine, Instance, Module, Store, Val};

    /// What the counter of the module says after `work(argument)`, and the fuel that the call took without one.
    fn counts(text: &str, argument: i32) -> (i64, u64) {
        let module = wat::parse_str(text).unwrap();
        let mut config = Config::new();
        config.consume_fuel(true);
        let engine = Engine::new(&config).unwrap();
        let run = |module: &[u8]| {
            let mut store = Store::new(&engine, ());
            store.set_fuel(1_000_000_000).unwrap();
            let module = Module::new(&engine, module).unwrap();
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            let work = instance.get_typed_func::<i32, i32>(&mut store, "work").unwrap();
            let value = work.call(&mut store, argument).unwrap();
            let fuel = 1_000_000_000 - store.get_fuel().unwrap();
            let counter = instance.get_global(&mut store, COUNTER).map(|it| it.get(&mut store));
            (value, fuel, counter)
        };
        let (value, fuel, _) = run(&module);
        let (same_value, _, counter) = run(&with_counter(&module).unwrap());
        assert_eq!(value, same_value);
        match counter {
            Some(Val::I64(count)) => (count, fuel),
            other => panic!("the counter is {other:?}"),
        }
    }

    #[test]
    fn the_count_is_what_wasmtimes_fuel_counter_counts() {
        let calls_loops_and_branches = r#"(module (memory 1) (table 2 funcref) (elem (i32.const 0) $odd $even)
            (type $step (func (param i32) (result i32)))
            (func $odd (param i32) (result i32) (i32.add (i32.mul (local.get 0) (i32.const 3)) (i32.const 1)))
            (func $even (param i32) (result i32) (nop) (i32.shr_u (local.get 0) (i32.const 1)))
            (func (export "work") (param $n i32) (result i32) (local $steps i32)
                (block $done
                    (loop $again
                        (br_if $done (i32.le_u (local.get $n) (i32.const 1)))
                        (local.set $steps (i32.add (local.get $steps) (i32.const 1)))
                        (if (i32.gt_u (local.get $steps) (i32.const 90)) (then (return (local.get $steps)))
                            (else (drop (i32.const 7))))
                        (local.set $n (call_indirect (type $step) (local.get $n)
                            (i32.eqz (i32.and (local.get $n) (i32.const 1)))))
                        (block $three (block $two (block $one
                            (br_table $one $two $three (i32.rem_u (local.get $n) (i32.const 5))))
                            (br $again))
                            (local.set $n (call $even (i32.shl (local.get $n) (i32.const 1)))))
                        (br $again)))
                (local.get $steps)))"#;
        for argument in [0, 1, 2, 7, 27, 97] {
            let (count, fuel) = counts(calls_loops_and_branches, argument);
            assert_eq!(count as u64, fuel, "work({argument})");
        }
    }

    #[test]
    fn a_byte_that_is_copied_or_filled_counts_as_one() {
        let text = r#"(module (memory 1) (global $g (mut i32) (i32.const 5))
            (func (export "work") (param $n i32) (result i32)
                (memory.fill (i32.const 8) (i32.const 3) (local.get $n))
                (memory.copy (i32.const 100) (i32.const 8) (local.get $n))
                (i32.add (global.get $g) (i32.load8_u (i32.const 100)))))"#;
        for argument in [0, 1, 50] {
            let (count, fuel) = counts(text, argument);
            assert_eq!(count as u64, fuel, "work({argument})");
        }
    }

    #[test]
    fn bytes_that_are_not_a_module_are_refused() {
        let message = with_counter(b"no module").unwrap_err().to_string();
        assert!(message.contains("not a module"), "{message}");
    }
}
