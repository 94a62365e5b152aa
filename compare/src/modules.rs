//! Builds the modules that are not in the cache yet.

use crate::cache::{Ingredients, keep};
use crate::catalogue::Catalogue;
use crate::places::{Group, Places};
use crate::progress::Step;
use crate::workspace::{self, Package, Profile};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

/// The target that modules are built for.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// The largest memory of a timed module: a program that leaks stops here, long before the host is short of memory.
pub const MOST_MEMORY_BYTES: u64 = 1 << 30;

/// The modules of one run: where each package's module lies.
pub struct Modules(BTreeMap<(Package, Profile), PathBuf>);

impl Modules {
    /// The module of `program` with `allocator`.
    pub fn path(&self, program: &str, allocator: &str, profile: Profile) -> Result<&Path> {
        self.of(Package::new(allocator, program), profile)
    }

    /// The module of `product` with `allocator`.
    pub fn of_product(&self, product: &str, allocator: &str) -> Result<&Path> {
        self.of(Package::of_product(allocator, product), Profile::Speed)
    }

    fn of(&self, package: Package, profile: Profile) -> Result<&Path> {
        let missing = format!("{} was not built with {}", package.program, package.allocator);
        self.0
            .get(&(package, profile))
            .map(PathBuf::as_path)
            .with_context(|| missing)
    }
}

/// Returns the modules of `wanted`, and builds those that were never built from what they are made from now.
///
/// `everything` is the whole catalogue: a generated workspace holds all of its group, so that one lock file fits every run.
pub fn build(wanted: &[(Package, Profile)], everything: &Catalogue, places: &Places, rustc: &str) -> Result<Modules> {
    let mut modules = BTreeMap::new();
    for group in [Group::Guests, Group::Products] {
        let wanted: Vec<(Package, Profile)> = wanted
            .iter()
            .filter(|(package, _)| package.group == group)
            .cloned()
            .collect();
        if !wanted.is_empty() {
            modules.extend(build_group(group, &wanted, everything, places, rustc)?);
        }
    }
    Ok(Modules(modules))
}

fn build_group(
    group: Group,
    wanted: &[(Package, Profile)],
    everything: &Catalogue,
    places: &Places,
    rustc: &str,
) -> Result<BTreeMap<(Package, Profile), PathBuf>> {
    let missing_of = |modules: &BTreeMap<(Package, Profile), PathBuf>| {
        let mut missing: BTreeMap<Profile, Vec<Package>> = BTreeMap::new();
        for ((package, profile), path) in modules {
            if !path.exists() {
                missing.entry(*profile).or_default().push(package.clone());
            }
        }
        missing
    };
    let mut modules = locate(group, wanted, everything, places, rustc)?;
    if !missing_of(&modules).is_empty() {
        workspace::write(group, everything, places)?;
        settle_lock_file(group, places)?;
        modules = locate(group, wanted, everything, places, rustc)?;
        fs::create_dir_all(places.modules())?;
        for (profile, packages) in missing_of(&modules) {
            compile(group, &packages, profile, places)?;
            for package in packages {
                let built = places
                    .report
                    .join("cargo")
                    .join(TARGET)
                    .join(profile.name())
                    .join(package.name())
                    .with_extension("wasm");
                let kept = &modules[&(package, profile)];
                keep(kept, |unfinished| {
                    fs::copy(&built, unfinished)
                        .with_context(|| format!("cannot copy {} to {}", built.display(), kept.display()))?;
                    Ok(())
                })?;
            }
        }
    }
    Ok(modules)
}

fn locate(
    group: Group,
    wanted: &[(Package, Profile)],
    everything: &Catalogue,
    places: &Places,
    rustc: &str,
) -> Result<BTreeMap<(Package, Profile), PathBuf>> {
    let ingredients = Ingredients::read(group, places, rustc, &flags(group).join(" "))?;
    let mut modules = BTreeMap::new();
    for (package, profile) in wanted {
        let allocator = everything
            .allocators
            .iter()
            .find(|allocator| allocator.id == package.allocator)
            .with_context(|| format!("there is no file allocators/{}.toml", package.allocator))?;
        let path = ingredients.module(package, allocator, *profile, places)?;
        modules.insert((package.clone(), *profile), path);
    }
    Ok(modules)
}

/// Puts the committed lock file into the workspace, and extends it when an allocator file asks for more.
fn settle_lock_file(group: Group, places: &Places) -> Result<()> {
    let workspace_lock = places.build_workspace(group).join("Cargo.lock");
    let committed = fs::read(places.lock(group)).unwrap_or_default();
    if committed.is_empty() {
        fs::remove_file(&workspace_lock).or_else(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })?;
    } else {
        fs::write(&workspace_lock, &committed)?;
    }
    let step = Step::begin("fetching crates", 1);
    step.part(&format!("those of {}", places.lock(group).display()));
    let fetch = |locked: &[&str]| {
        cargo(group, places)
            .arg("fetch")
            .args(["--target", TARGET])
            .args(locked)
            .output()
            .context("cannot start cargo: install Rust with rustup")
    };
    if fetch(&["--locked"])?.status.success() {
        return Ok(());
    }
    let output = fetch(&[])?;
    if !output.status.success() {
        bail!(
            "cargo cannot resolve or download the dependencies of the allocator files; check the newest file in compare/allocators and the network:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    drop(step);
    fs::copy(&workspace_lock, places.lock(group))?;
    eprintln!(
        "{} has changed, since the allocator files or the programs ask for other dependencies: commit it",
        places.lock(group).display()
    );
    Ok(())
}

fn compile(group: Group, packages: &[Package], profile: Profile, places: &Places) -> Result<()> {
    let step = Step::begin(&format!("building for {}", profile.name()), packages.len());
    let mut command = cargo(group, places);
    command.arg("build").args(["--locked", "--target", TARGET]);
    command.args(["--profile", profile.name(), "--message-format=json-render-diagnostics"]);
    for package in packages {
        command.args(["--package", &package.name()]);
    }
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start cargo: install Rust with rustup")?;
    let mut errors = child.stderr.take().context("the error stream is piped")?;
    let collector = thread::spawn(move || {
        let mut text = String::new();
        errors.read_to_string(&mut text).map(|_| text)
    });
    let output = BufReader::new(child.stdout.take().context("the output stream is piped")?);
    for line in output.lines() {
        if let Ok(Message { target, filenames }) = serde_json::from_str(&line?)
            && filenames.iter().any(|name| name.ends_with(".wasm"))
        {
            step.done(&target.name);
        }
    }
    let status = child.wait()?;
    let errors = collector.join().expect("reading a stream does not panic")?;
    if !status.success() {
        bail!("cargo could not build the modules; the first error below names the crate to mend:\n{errors}");
    }
    Ok(())
}

/// A line of cargo's machine-readable output that reports a finished file.
#[derive(Deserialize)]
struct Message {
    target: Target,
    filenames: Vec<String>,
}

/// What the file was made from.
#[derive(Deserialize)]
struct Target {
    name: String,
}

fn cargo(group: Group, places: &Places) -> Command {
    let mut flags = flags(group);
    if let Some(home) = home_of_cargo() {
        flags.push(format!("--remap-path-prefix={}=cargo", home.display()));
    }
    flags.push(format!(
        "--remap-path-prefix={}=repository",
        places.repository.display()
    ));
    let mut command = Command::new("cargo");
    command
        .current_dir(places.build_workspace(group))
        .env("CARGO_TARGET_DIR", places.report.join("cargo"))
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    command
}

/// Flags of the compiler that change a module, the same on every machine.
fn flags(group: Group) -> Vec<String> {
    let mut flags = vec![format!("-Clink-arg=--max-memory={MOST_MEMORY_BYTES}")];
    if group == Group::Products {
        // Entropy comes from compare/products/entropy instead of an import.
        flags.push("--cfg=getrandom_backend=\"custom\"".to_owned());
    }
    flags
}

/// The folder of downloaded crates: its name must not reach a module, or sizes would depend on the machine.
fn home_of_cargo() -> Option<PathBuf> {
    std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
}
