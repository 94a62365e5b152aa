//! `cargo make example NAME`: builds an example, runs it, and says what happens.

use clap::Parser;
use examples_host::plug_in::{self, CEILING_PAGES, Manner, PlugIn};
use examples_host::{contract, word_count};
use std::io::{stderr, stdin, stdout};
use std::process::ExitCode;
use wasmtime::Result;

/// Builds an example and runs it in wasmtime.
#[derive(Parser)]
enum Example {
    /// Count the words of the standard input, in a program on WASI.
    WordCount,
    /// Move balances in a contract, and print its size with each allocator.
    Contract,
    /// Hand more lines to a plug-in than fit under its ceiling.
    PlugIn,
}

fn main() -> Result<ExitCode> {
    match Example::parse() {
        Example::WordCount => {
            let status = word_count::run(stdin(), stdout(), stderr())?;
            return Ok(u8::try_from(status).map_or(ExitCode::FAILURE, ExitCode::from));
        }
        Example::Contract => run_contract()?,
        Example::PlugIn => run_plug_in()?,
    }
    Ok(ExitCode::SUCCESS)
}

fn run_contract() -> Result<()> {
    let mut contract = contract::Contract::new(&contract::build_with(contract::ALLOCATORS[0]))?;
    let accounts = [(1, 100), (2, 50)];
    for transfers in [[(1, 2, 30), (2, 3, 75)], [(1, 2, 30), (2, 3, 90)]] {
        match contract.apply(&accounts, &transfers)? {
            Some(next) => println!("{accounts:?} and the transfers {transfers:?} make {next:?}"),
            None => println!("{accounts:?} and the transfers {transfers:?} are refused"),
        }
    }
    println!(
        "\nThe contract with each allocator, as the linker writes it:\n\n{}",
        contract::sizes()
    );
    Ok(())
}

fn run_plug_in() -> Result<()> {
    const LINES: u64 = 150_000;
    let mut plug_in = PlugIn::new(&plug_in::build_module(), CEILING_PAGES as usize, Manner::Ends)?;
    for number in 0..LINES {
        plug_in.keep(&plug_in::line(number))?;
        for report in plug_in.take_reports() {
            println!(
                "line {number}: a request of {} bytes was refused at {} pages; the plug-in forgets {} lines and goes on",
                report.refused_bytes,
                plug_in.pages(),
                report.forgotten_lines
            );
        }
    }
    println!(
        "After {LINES} lines it keeps {}, of which {} have \"page-7.\" in them.",
        plug_in.lines_with("")?,
        plug_in.lines_with("page-7.")?
    );
    Ok(())
}
