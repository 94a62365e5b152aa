//! `cargo make example NAME`: builds an example, runs it, and says what happens.

use clap::Parser;
use examples_host::plug_in::{self, CEILING_PAGES, Manner, PlugIn};
use examples_host::{c_code, component, contract, word_count};
use std::io::{Read, stderr, stdin, stdout};
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
    /// Compress the standard input with a library in C, and say how many bytes it takes.
    CCode,
    /// Have a component make an index of the lines of the standard input.
    Component,
}

fn main() -> Result<ExitCode> {
    match Example::parse() {
        Example::WordCount => {
            let status = word_count::run(stdin(), stdout(), stderr())?;
            return Ok(u8::try_from(status).map_or(ExitCode::FAILURE, ExitCode::from));
        }
        Example::Contract => run_contract()?,
        Example::PlugIn => run_plug_in()?,
        Example::CCode => run_c_code()?,
        Example::Component => run_component()?,
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

fn run_c_code() -> Result<()> {
    let mut bytes = Vec::new();
    stdin().read_to_end(&mut bytes)?;
    let mut compressor = c_code::Compressor::new(&c_code::build_module())?;
    let compressed = compressor.compress(&bytes)?;
    let is_as_before = compressor.decompress(&compressed)? == bytes;
    println!(
        "{} bytes take {} compressed, and are {} after it.",
        bytes.len(),
        compressed.len(),
        if is_as_before { "as before" } else { "others" }
    );
    Ok(())
}

fn run_component() -> Result<()> {
    const MOST_BYTES: usize = 64 << 20;
    let mut text = String::new();
    stdin().read_to_string(&mut text)?;
    let lines: Vec<&str> = text.lines().collect();
    let mut indexer = component::Indexer::new(&component::build_component(), MOST_BYTES)?;
    for (word, lines) in indexer.index(&lines)? {
        let numbers: Vec<String> = lines.iter().map(|line| (line + 1).to_string()).collect();
        println!("{word}: {}", numbers.join(", "));
    }
    Ok(())
}
