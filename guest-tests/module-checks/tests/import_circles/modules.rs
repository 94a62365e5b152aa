//! The modules of a crate, as its source files declare them.

use proc_macro2::{TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use syn::visit::{self, Visit};
use syn::{Item, ItemMod, ItemUse, Lit, Macro, Meta, UseTree, Visibility};

/// The names that lead from the crate's root to a module; empty for the root itself.
pub type ModulePath = Vec<String>;

/// A path as source code writes it, segment by segment.
pub type WrittenPath = Vec<String>;

/// One module.
pub struct Module {
    /// The file that it stands in. An inline module stands in that of its parent.
    pub file: PathBuf,
    /// What `use` declarations bring in, by the name that they give it.
    pub uses: BTreeMap<String, Use>,
    /// What `use` declarations with a `*` bring in.
    pub globs: Vec<Use>,
    /// The names of what is defined here, other than modules.
    pub items: BTreeSet<String>,
    /// The paths in its code.
    pub paths: BTreeSet<WrittenPath>,
}

impl Module {
    fn in_file(file: &Path) -> Self {
        Module {
            file: file.to_owned(),
            uses: BTreeMap::new(),
            globs: Vec::new(),
            items: BTreeSet::new(),
            paths: BTreeSet::new(),
        }
    }
}

/// One name of a `use` declaration.
#[derive(Clone)]
pub struct Use {
    /// What is brought in.
    pub path: WrittenPath,
    /// Whether other modules may take it from here.
    pub is_public: bool,
}

/// The modules of one crate.
pub struct Crate(pub BTreeMap<ModulePath, Module>);

impl Crate {
    /// Reads the crate whose root is the file `root`, with every file that its modules are in.
    ///
    /// # Panics
    ///
    /// When a file is missing or is not Rust.
    pub fn read(root: &Path) -> Self {
        let mut reader = Reader {
            modules: BTreeMap::new(),
            at: Vec::new(),
            file: root.to_owned(),
            folder: root.parent().expect("a file lies in a folder").to_owned(),
        };
        reader.read_file();
        Crate(reader.modules)
    }

    /// The files of all modules.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.0.values().map(|module| module.file.as_path())
    }
}

/// Walks through the source, from one module into those that it declares.
struct Reader {
    modules: BTreeMap<ModulePath, Module>,
    /// The module that is read now.
    at: ModulePath,
    file: PathBuf,
    /// Where the files of the modules lie that it declares.
    folder: PathBuf,
}

impl Reader {
    fn read_file(&mut self) {
        let text = fs::read_to_string(&self.file)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", self.file.display()));
        let file =
            syn::parse_file(&text).unwrap_or_else(|error| panic!("{} is not Rust: {error}", self.file.display()));
        self.read_module(&file.items);
    }

    fn read_module(&mut self, items: &[Item]) {
        let file = &self.file;
        // Several files may declare this module under different `cfg`s; their items count together.
        let module = self
            .modules
            .entry(self.at.clone())
            .or_insert_with(|| Module::in_file(file));
        module.items.extend(items.iter().filter_map(name_of));
        for item in items {
            self.visit_item(item);
        }
    }

    fn module(&mut self) -> &mut Module {
        self.modules
            .get_mut(&self.at)
            .expect("a module is entered before it is read")
    }

    /// The file of the module `name`, and the folder of those that it declares in turn.
    fn find(&self, name: &str, attributes: &[syn::Attribute]) -> (PathBuf, PathBuf) {
        if let Some(path) = path_attribute(attributes) {
            let file = self.file.with_file_name(path);
            let folder = file.parent().expect("a file lies in a folder").to_owned();
            return (file, folder);
        }
        let folder = self.folder.join(name);
        let beside = self.folder.join(format!("{name}.rs"));
        match beside.exists() {
            true => (beside, folder),
            false => (folder.join("mod.rs"), folder),
        }
    }

    fn add_uses(&mut self, tree: &UseTree, mut path: WrittenPath, is_public: bool) {
        match tree {
            UseTree::Path(step) => {
                path.push(step.ident.to_string());
                self.add_uses(&step.tree, path, is_public);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_uses(tree, path.clone(), is_public);
                }
            }
            UseTree::Glob(_) => self.module().globs.push(Use { path, is_public }),
            UseTree::Name(name) => self.add_use(name.ident.to_string(), None, path, is_public),
            UseTree::Rename(name) => {
                self.add_use(name.ident.to_string(), Some(name.rename.to_string()), path, is_public);
            }
        }
    }

    fn add_use(&mut self, name: String, new_name: Option<String>, mut path: WrittenPath, is_public: bool) {
        if name != "self" {
            path.push(name);
        }
        let bound = new_name.or_else(|| path.last().cloned());
        let bound = bound.expect("a `use` names something");
        self.module().uses.insert(bound, Use { path, is_public });
    }
}

impl Visit<'_> for Reader {
    fn visit_item_mod(&mut self, module: &ItemMod) {
        let name = module.ident.to_string();
        let (file, folder) = (self.file.clone(), self.folder.clone());
        match &module.content {
            Some((_, items)) => {
                self.folder.push(&name);
                self.at.push(name);
                self.read_module(items);
            }
            None => {
                (self.file, self.folder) = self.find(&name, &module.attrs);
                self.at.push(name);
                self.read_file();
            }
        }
        self.at.pop();
        (self.file, self.folder) = (file, folder);
    }

    fn visit_item_use(&mut self, item: &ItemUse) {
        let is_public = !matches!(item.vis, Visibility::Inherited);
        self.add_uses(&item.tree, Vec::new(), is_public);
    }

    fn visit_path(&mut self, path: &syn::Path) {
        let segments = path.segments.iter().map(|segment| segment.ident.to_string());
        let written = segments.collect();
        self.module().paths.insert(written);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &Macro) {
        let mut paths = BTreeSet::new();
        add_paths(call.tokens.clone(), &mut paths);
        self.module().paths.extend(paths);
        visit::visit_macro(self, call);
    }
}

/// The paths in what a macro is called with, which need not be Rust.
fn add_paths(tokens: TokenStream, paths: &mut BTreeSet<WrittenPath>) {
    let mut path = WrittenPath::new();
    let mut before = String::new();
    for token in tokens {
        match token {
            TokenTree::Ident(name) => {
                if !before.ends_with("::") {
                    paths.insert(std::mem::take(&mut path));
                }
                // What follows a dot is a field or a method.
                if before != "." {
                    path.push(name.to_string());
                }
                before.clear();
            }
            TokenTree::Punct(sign) => before.push(sign.as_char()),
            TokenTree::Group(group) => {
                add_paths(group.stream(), paths);
                before = " ".to_owned();
            }
            TokenTree::Literal(_) => before = " ".to_owned(),
        }
    }
    paths.insert(path);
    paths.remove(&WrittenPath::new());
}

/// The name of what an item defines; `None` for modules, declarations that bring something in, and `impl` blocks.
fn name_of(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

/// The value of `#[path = "..."]`.
fn path_attribute(attributes: &[syn::Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            syn::Expr::Lit(value) => match &value.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    })
}
