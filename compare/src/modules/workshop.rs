//! Builds the modules that are not in the cache yet.

use super::cache::Ingredients;
use super::package::Package;
use super::toolchain::{self, TARGET};
use super::workspace;
use crate::shared::catalogue::Catalogue;
use crate::shared::kept_files::{digest_of, keep};
use crate::shared::places::{Group, Places};
use crate::shared::profile::Profile;
use crate::shared::progress::Step;
use anyhow::{Context, Result, bail};
use cargo_metadata::Message;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

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

    /// The module of `program` with `allocator`, built for threads or, by the same compiler, without.
    pub fn for_threads(&self, program: &str, allocator: &str, group: Group, profile: Profile) -> Result<&Path> {
        self.of(Package::for_threads(allocator, program, group), profile)
    }

    fn of(&self, package: Package, profile: Profile) -> Result<&Path> {
        let missing = format!("{} was not built with {}", package.program, package.allocator);
        self.0
            .get(&(package, profile))
            .map(PathBuf::as_path)
            .with_context(|| missing)
    }
}

/// Returns the modules of `wanted`. Builds those that are not in the cache, or were made from something else.
///
/// `everything` is the whole catalogue. A generated workspace holds all of its group, so one lock file fits every run.
pub fn build(wanted: &[(Package, Profile)], everything: &Catalogue, places: &Places) -> Result<Modules> {
    let mut modules = BTreeMap::new();
    for group in [Group::Guests, Group::Products, Group::Threads, Group::OneThread] {
        let wanted: Vec<(Package, Profile)> = wanted
            .iter()
            .filter(|(package, _)| package.group == group)
            .cloned()
            .collect();
        if !wanted.is_empty() {
            let workshop = Workshop {
                group,
                everything,
                places,
                rustc: &toolchain::rustc(group)?,
            };
            modules.extend(workshop.build(&wanted)?);
        }
    }
    Ok(Modules(modules))
}

/// Builds the module of `package` with `changes` to `profile`, each as cargo's option `--config` takes it. Returns the file,
/// which is named by what is in it.
pub fn build_changed(
    package: &Package,
    profile: Profile,
    changes: &[&str],
    everything: &Catalogue,
    places: &Places,
) -> Result<PathBuf> {
    let rustc = toolchain::rustc(package.group)?;
    let workshop = Workshop {
        group: package.group,
        everything,
        places,
        rustc: &rustc,
    };
    workspace::write(package.group, everything, places)?;
    workshop.settle_lock_file()?;
    workshop.compile(std::slice::from_ref(package), profile, changes)?;
    let built = workshop.built(package, profile);
    let module = fs::read(&built).with_context(|| format!("cannot read {}", built.display()))?;
    let kept = places
        .modules()
        .join(format!("{}-{}.wasm", package.name(), digest_of(&module)));
    fs::create_dir_all(places.modules())?;
    keep(&kept, |unfinished| {
        fs::write(unfinished, &module).with_context(|| format!("cannot write {}", kept.display()))
    })?;
    Ok(kept)
}

/// Builds modules of one group, in its generated workspace.
struct Workshop<'a> {
    group: Group,
    /// The whole catalogue.
    everything: &'a Catalogue,
    places: &'a Places,
    rustc: &'a str,
}

impl Workshop<'_> {
    fn build(&self, wanted: &[(Package, Profile)]) -> Result<BTreeMap<(Package, Profile), PathBuf>> {
        let missing_of = |modules: &BTreeMap<(Package, Profile), PathBuf>| {
            let mut missing: BTreeMap<Profile, Vec<Package>> = BTreeMap::new();
            for ((package, profile), path) in modules {
                if !path.exists() {
                    missing.entry(*profile).or_default().push(package.clone());
                }
            }
            missing
        };
        let mut modules = self.locate(wanted)?;
        if !missing_of(&modules).is_empty() {
            workspace::write(self.group, self.everything, self.places)?;
            self.settle_lock_file()?;
            modules = self.locate(wanted)?;
            fs::create_dir_all(self.places.modules())?;
            for (profile, packages) in missing_of(&modules) {
                self.compile(&packages, profile, &[])?;
                for package in packages {
                    let built = self.built(&package, profile);
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

    /// Where each module of `wanted` is kept, built or not.
    fn locate(&self, wanted: &[(Package, Profile)]) -> Result<BTreeMap<(Package, Profile), PathBuf>> {
        let mut flags = flags(self.group).join(" ");
        if self.group == Group::Threads {
            let script = toolchain::script_for_threads(self.places);
            flags += &fs::read_to_string(&script).with_context(|| format!("cannot read {}", script.display()))?;
        }
        let ingredients = Ingredients::read(self.group, self.places, self.rustc, &flags)?;
        let mut modules = BTreeMap::new();
        for (package, profile) in wanted {
            let allocator = self
                .everything
                .allocators
                .iter()
                .find(|allocator| allocator.id == package.allocator)
                .with_context(|| format!("there is no file allocators/{}.toml", package.allocator))?;
            let path = ingredients.module(package, allocator, *profile, self.places)?;
            modules.insert((package.clone(), *profile), path);
        }
        Ok(modules)
    }

    /// Puts the committed lock file into the workspace, and extends it when an allocator file asks for more.
    fn settle_lock_file(&self) -> Result<()> {
        let workspace_lock = self.places.build_workspace(self.group).join("Cargo.lock");
        let committed = fs::read(self.places.lock(self.group)).unwrap_or_default();
        if committed.is_empty() {
            fs::remove_file(&workspace_lock).or_else(|error| match error.kind() {
                std::io::ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            })?;
        } else {
            fs::write(&workspace_lock, &committed)?;
        }
        let step = Step::begin("fetching crates", 1);
        step.part(&format!("those of {}", self.places.lock(self.group).display()));
        let fetch = |locked: &[&str]| {
            self.cargo()
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
        fs::copy(&workspace_lock, self.places.lock(self.group))?;
        eprintln!(
            "{} has changed, since the allocator files or the programs ask for other dependencies: commit it",
            self.places.lock(self.group).display()
        );
        Ok(())
    }

    /// The file that cargo writes for `package`.
    fn built(&self, package: &Package, profile: Profile) -> PathBuf {
        // `scripts/build-for-threads.sh` knows that profile alone.
        let profile = if self.group == Group::Threads {
            Profile::Speed
        } else {
            profile
        };
        let folder = self.places.cargo_target(self.group).join(TARGET).join(profile.name());
        folder.join(package.name()).with_extension("wasm")
    }

    /// The command that builds for `profile`, which takes the options of `cargo build`.
    fn build_command(&self, profile: Profile) -> Command {
        let compiles_std = "-Zbuild-std=std,panic_abort";
        let mut command = match self.group {
            Group::Threads => self.in_workspace(Command::new(toolchain::script_for_threads(self.places))),
            Group::OneThread => {
                let mut cargo = Command::new("cargo");
                cargo.arg("+nightly");
                self.in_workspace(cargo)
            }
            Group::Guests | Group::Products => self.cargo(),
        };
        match (self.group, profile) {
            (Group::Threads, Profile::Speed) => &mut command,
            (Group::Threads, Profile::Size) => command.args(["--config", "profile.speed.opt-level=\"z\""]),
            (group, _) => {
                command.args(["build", "--target", TARGET, "--profile", profile.name()]);
                command.args((group == Group::OneThread).then_some(compiles_std))
            }
        };
        command
    }

    /// Builds `packages` in `profile`, with these changes to cargo's configuration.
    fn compile(&self, packages: &[Package], profile: Profile, changes: &[&str]) -> Result<()> {
        let step = Step::begin(&format!("building for {}", profile.name()), packages.len());
        let mut command = self.build_command(profile);
        command.args(["--locked", "--message-format=json-render-diagnostics"]);
        for change in changes {
            command.args(["--config", change]);
        }
        let names: Vec<String> = packages.iter().map(Package::name).collect();
        for name in &names {
            command.args(["--package", name]);
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
        for message in Message::parse_stream(output) {
            match message? {
                Message::CompilerArtifact(made) if names.contains(&made.target.name) => step.done(&made.target.name),
                Message::CompilerArtifact(made) if !made.fresh => step.shared(&made.target.name),
                _ => {}
            }
        }
        let status = child.wait()?;
        let errors = collector.join().expect("reading a stream does not panic")?;
        if !status.success() {
            bail!("cargo could not build the modules; the first error below names the crate to mend:\n{errors}");
        }
        Ok(())
    }

    fn cargo(&self) -> Command {
        self.in_workspace(Command::new("cargo"))
    }

    /// The same command, in the generated workspace and with the flags of its group.
    fn in_workspace(&self, mut command: Command) -> Command {
        let mut flags = flags(self.group);
        if let Some(home) = toolchain::home_of_cargo() {
            flags.push(format!("--remap-path-prefix={}=cargo", home.display()));
        }
        flags.push(format!(
            "--remap-path-prefix={}=repository",
            self.places.repository.display()
        ));
        command
            .current_dir(self.places.build_workspace(self.group))
            .env("CARGO_TARGET_DIR", self.places.cargo_target(self.group))
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
        command
    }
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
