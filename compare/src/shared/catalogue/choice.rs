//! Choosing a part of the catalogue, as the command line asks for it.

use super::Catalogue;
use super::allocator::Role;
use super::pattern::matches;
use anyhow::{Result, bail};

impl Catalogue {
    /// Keeps what one of `patterns` names. A kind of things that no pattern names stays whole.
    ///
    /// A pattern is the name of an allocator, a workload or a family, and may end with `*`. The reference stays, since
    /// ratios are taken to it, and so do the floors.
    pub fn choose(&mut self, patterns: &[String]) -> Result<()> {
        let mut some_allocator = false;
        let mut some_workload = false;
        for pattern in patterns {
            let allocator = self.allocators.iter().any(|it| it.is_named(pattern));
            let workload = self.workloads.iter().any(|it| it.is_named(pattern))
                || self.long_lives.iter().any(|it| it.is_named(pattern))
                || self.products.iter().any(|it| it.is_named(pattern))
                || self.threads.iter().any(|it| it.is_named(pattern));
            if !allocator && !workload {
                bail!(
                    "--only {pattern}: no allocator, workload or family has this name; allocators: {}; workloads: {}; families: allocator, programs, traces, reported, long-life, products, threads; long-lived programs: {}; products: {}; for threads: {}",
                    list(self.allocators.iter().map(|it| it.id.as_str())),
                    list(self.workloads.iter().map(|it| it.name.as_str())),
                    list(self.long_lives.iter().map(|it| it.name.as_str())),
                    list(self.products.iter().map(|it| it.name.as_str())),
                    list(self.threads.iter().map(|it| it.name.as_str())),
                );
            }
            some_allocator |= allocator;
            some_workload |= workload;
        }
        if some_allocator {
            self.allocators.retain(|it| {
                matches!(
                    it.role,
                    Role::Reference | Role::Floor | Role::SizeFloor | Role::Meter | Role::Recorder
                ) || patterns.iter().any(|pattern| it.is_named(pattern))
            });
        }
        if some_workload {
            self.workloads
                .retain(|it| patterns.iter().any(|pattern| it.is_named(pattern)));
            self.long_lives
                .retain(|it| patterns.iter().any(|pattern| it.is_named(pattern)));
            self.products
                .retain(|it| patterns.iter().any(|pattern| it.is_named(pattern)));
            self.threads
                .retain(|it| patterns.iter().any(|pattern| it.is_named(pattern)));
        }
        Ok(())
    }

    /// Leaves out the workloads that only the full report runs, except those that `patterns` names itself.
    pub fn leave_out_long_workloads(&mut self, patterns: &[String]) {
        self.workloads
            .retain(|it| !it.full_only || patterns.iter().any(|pattern| matches(pattern, &it.name)));
    }

    /// Leaves out the products, whose modules take minutes to build, except for those that one of `patterns` names.
    pub fn leave_out_products(&mut self, patterns: &[String]) {
        self.products
            .retain(|it| patterns.iter().any(|pattern| it.is_named(pattern)));
    }

    /// Leaves out the workloads for several workers, for which the standard library is compiled, except for those that one of
    /// `patterns` names.
    pub fn leave_out_threads(&mut self, patterns: &[String]) {
        self.threads
            .retain(|it| patterns.iter().any(|pattern| it.is_named(pattern)));
    }

    /// Keeps the allocators that `patterns` names, where the workloads are not chosen by name.
    pub fn choose_allocators(&mut self, patterns: &[String]) -> Result<()> {
        for pattern in patterns {
            if !self.contenders().any(|it| it.is_named(pattern)) {
                bail!(
                    "--only {pattern}: no allocator has this name; allocators: {}",
                    list(self.contenders().map(|it| it.id.as_str()))
                );
            }
        }
        self.choose(patterns)
    }
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use crate::shared::catalogue::{Catalogue, Family, Role};
    use crate::shared::places::Places;

    fn catalogue() -> Catalogue {
        Catalogue::read(&Places::of_this_checkout()).expect("the files of the repository are valid")
    }

    #[test]
    fn naming_a_workload_keeps_all_allocators_and_that_workload_alone() {
        let mut chosen = catalogue();
        chosen.choose(&["json".to_owned()]).unwrap();
        assert_eq!(chosen.workloads.len(), 1);
        assert_eq!(chosen.allocators.len(), catalogue().allocators.len());
    }

    #[test]
    fn naming_an_allocator_keeps_the_reference_and_the_floors() {
        let mut chosen = catalogue();
        chosen.choose(&["tiny*".to_owned()]).unwrap();
        let roles: Vec<Role> = chosen.allocators.iter().map(|it| it.role).collect();
        assert_eq!(
            roles,
            [
                Role::Reference,
                Role::Ours,
                Role::Floor,
                Role::SizeFloor,
                Role::Meter,
                Role::Recorder
            ]
        );
        assert_eq!(chosen.workloads.len(), catalogue().workloads.len());
    }

    #[test]
    fn products_are_left_out_unless_one_of_them_or_their_family_is_named() {
        let left = |only: &[&str]| {
            let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
            let mut chosen = catalogue();
            chosen.choose(&only).unwrap();
            chosen.leave_out_products(&only);
            let names = chosen.products.iter().map(|product| product.name.clone());
            names.collect::<Vec<_>>()
        };
        assert!(left(&[]).is_empty());
        assert!(left(&["freeing-bump"]).is_empty());
        assert_eq!(left(&["jaq", "freeing-bump"]), ["jaq"]);
        assert_eq!(left(&["products"]).len(), catalogue().products.len());
    }

    #[test]
    fn workloads_for_threads_are_left_out_unless_one_of_them_or_their_family_is_named() {
        let left = |only: &[&str]| {
            let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
            let mut chosen = catalogue();
            chosen.choose(&only).unwrap();
            chosen.leave_out_threads(&only);
            chosen.threads.len()
        };
        assert_eq!((left(&[]), left(&["freeing-bump"]), left(&["json"])), (0, 0, 0));
        assert_eq!(left(&["workers-json", "freeing-bump"]), 1);
        assert_eq!(left(&["threads"]), catalogue().threads.len());
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_names_there_are() {
        let message = catalogue().choose(&["jsom".to_owned()]).unwrap_err().to_string();
        for name in [
            "jsom",
            "dlmalloc",
            "hash-map",
            "long-life",
            "replaced-state",
            "sqlparser",
            "workers-json",
        ] {
            assert!(message.contains(name), "{name}: {message}");
        }
    }

    #[test]
    fn where_only_allocators_can_be_chosen_the_name_of_a_workload_is_refused() {
        let message = catalogue()
            .choose_allocators(&["json".to_owned()])
            .unwrap_err()
            .to_string();
        assert!(message.contains("json") && message.contains("dlmalloc"), "{message}");
        assert!(catalogue().choose_allocators(&["tiny*".to_owned()]).is_ok());
    }

    #[test]
    fn the_name_of_a_family_keeps_its_workloads_alone() {
        let mut chosen = catalogue();
        chosen.choose(&["reported".to_owned()]).unwrap();
        assert!(!chosen.workloads.is_empty() && chosen.long_lives.is_empty());
        assert!(chosen.workloads.iter().all(|it| it.family == Family::Reported));
    }

    #[test]
    fn what_takes_long_is_left_out_unless_its_own_name_is_given() {
        let names = |only: &[&str]| -> Vec<String> {
            let only: Vec<String> = only.iter().map(|&name| name.to_owned()).collect();
            let mut chosen = catalogue();
            chosen.choose(&only).unwrap();
            chosen.leave_out_long_workloads(&only);
            chosen.workloads.into_iter().map(|it| it.name).collect()
        };
        let long = "holes-at-the-limit-16k".to_owned();
        assert!(!names(&[]).contains(&long) && !names(&["reported"]).contains(&long));
        assert_eq!(names(&["holes-at-the-limit-16k"]), std::slice::from_ref(&long));
        assert!(names(&["reported", "holes-at-the-limit-*"]).contains(&long));
    }
}
