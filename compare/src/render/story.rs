//! What a person would say of the figures: which allocator for which need, and at what price.

use super::overview::Line;
use super::words::with_commas;
use crate::shared::catalogue::Role;

/// Within this share of the best figure, another measure decides.
const ALIKE: f64 = 0.02;

/// What can count most for a program.
#[derive(Clone, Copy, PartialEq)]
enum Need {
    Time,
    Memory,
    Code,
}

/// An allocator that frees and finished everything, with its three numbers. Time and memory are ratios to the reference.
struct Choice<'overview> {
    line: &'overview Line,
    time: f64,
    memory: f64,
    code: i64,
}

impl<'overview> Choice<'overview> {
    fn of(line: &'overview Line) -> Option<Self> {
        if !line.mark.is_empty() {
            return None;
        }
        Some(Choice {
            line,
            time: line.time?,
            memory: line.memory?,
            code: line.code_bytes?,
        })
    }
}

impl Need {
    const ALL: [Need; 3] = [Need::Time, Need::Memory, Need::Code];

    fn name(self) -> &'static str {
        match self {
            Need::Time => "time",
            Need::Memory => "memory",
            Need::Code => "code",
        }
    }

    fn figure(self, choice: &Choice) -> f64 {
        match self {
            Need::Time => choice.time,
            Need::Memory => choice.memory,
            Need::Code => choice.code as f64,
        }
    }

    /// What decides between allocators that are alike in this.
    fn second(self) -> Need {
        match self {
            Need::Time => Need::Memory,
            Need::Memory | Need::Code => Need::Time,
        }
    }

    /// The allocator that needs the least.
    fn best<'choices, 'overview>(self, choices: &'choices [Choice<'overview>]) -> &'choices Choice<'overview> {
        let least = choices
            .iter()
            .map(|choice| self.figure(choice))
            .fold(f64::INFINITY, f64::min);
        choices
            .iter()
            .filter(|choice| self.figure(choice) <= least * (1.0 + ALIKE))
            .min_by(|one, other| self.second().figure(one).total_cmp(&self.second().figure(other)))
            .expect("the least is one of them")
    }

    /// How much more or less of this an allocator needs than the reference.
    fn compared(self, choice: &Choice, reference: &Choice) -> String {
        match self {
            Need::Time | Need::Memory => {
                let percent = ((self.figure(choice) / self.figure(reference) - 1.0) * 100.0).round() as i64;
                match percent {
                    0 => format!("no more {}", self.name()),
                    1.. => format!("{percent} % more {}", self.name()),
                    _ => format!("{} % less {}", -percent, self.name()),
                }
            }
            Need::Code => match choice.code - reference.code {
                0 => "no more code".to_owned(),
                bytes @ 1.. => format!("{} bytes more code", with_commas(bytes)),
                bytes => format!("{} bytes less code", with_commas(-bytes)),
            },
        }
    }
}

/// One sentence for each need; none where the report does not have all three numbers of the reference and of another
/// allocator.
pub fn of(lines: &[Line]) -> Vec<String> {
    let choices: Vec<Choice> = lines.iter().filter_map(Choice::of).collect();
    let is_reference = |choice: &&Choice| choice.line.role == Role::Reference;
    let Some(reference) = choices.iter().find(is_reference) else {
        return Vec::new();
    };
    if choices.len() < 2 {
        return Vec::new();
    }
    let mut named: Vec<&str> = Vec::new();
    let mut sentences = Vec::new();
    for need in Need::ALL {
        let best = need.best(&choices);
        let id = best.line.id.as_str();
        let others = Need::ALL.into_iter().filter(|other| *other != need);
        let others: Vec<String> = others.map(|other| other.compared(best, reference)).collect();
        let own = need.compared(best, reference);
        let name = &best.line.name;
        let than = &reference.line.name;
        let advice = if id == reference.line.id {
            format!("{name}: none of the others needs less")
        } else if named.contains(&id) {
            format!("{name} too: {own} than {than}")
        } else {
            format!("{name}: {own}, {} than {than}", others.join(" and "))
        };
        sentences.push(format!("If {} counts most, take {advice}.", need.name()));
        named.push(id);
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::render::overview::Line;
    use crate::shared::catalogue::Role;

    fn line(name: &str, time: f64, memory: f64, code: i64) -> Line {
        Line {
            id: name.to_owned(),
            name: name.to_owned(),
            role: if name == "dlmalloc" {
                Role::Reference
            } else {
                Role::Peer
            },
            time: Some(time),
            memory: Some(memory),
            code_bytes: Some(code),
            mark: String::new(),
        }
    }

    #[test]
    fn each_need_gets_the_allocator_that_needs_least_with_its_price() {
        let lines = [
            line("fast", 0.66, 1.47, 1000),
            line("thrifty", 0.71, 0.93, 6517),
            line("dlmalloc", 1.0, 1.0, 8812),
            line("small", 2.785, 1.0, 971),
        ];
        assert_eq!(
            of(&lines),
            [
                "If time counts most, take fast: 34 % less time, 47 % more memory and 7,812 bytes less code than dlmalloc.",
                "If memory counts most, take thrifty: 7 % less memory, 29 % less time and 2,295 bytes less code than dlmalloc.",
                "If code counts most, take small: 7,841 bytes less code, 179 % more time and no more memory than dlmalloc.",
            ]
        );
    }

    #[test]
    fn of_two_that_are_alike_the_one_is_named_that_pays_less_elsewhere() {
        let lines = [
            line("dlmalloc", 1.0, 1.0, 8000),
            line("lavish", 0.70, 2.0, 8000),
            line("thrifty", 0.71, 0.9, 8000),
        ];
        assert!(of(&lines)[0].contains("take thrifty: 29 % less time"));
    }

    #[test]
    fn an_allocator_that_serves_two_needs_is_described_once() {
        let lines = [line("dlmalloc", 1.0, 1.0, 8000), line("best", 0.5, 0.9, 9000)];
        let story = of(&lines);
        assert_eq!(
            story[1],
            "If memory counts most, take best too: 10 % less memory than dlmalloc."
        );
        assert_eq!(
            story[2],
            "If code counts most, take dlmalloc: none of the others needs less."
        );
    }

    #[test]
    fn an_allocator_that_never_frees_or_failed_is_not_advised() {
        let mut failed = line("failed", 0.1, 0.1, 1);
        failed.mark = "failed 1 of 2".to_owned();
        let story = of(&[failed, line("dlmalloc", 1.0, 1.0, 8000), line("other", 1.1, 1.1, 9000)]);
        assert_eq!(story.len(), 3);
        assert!(
            story.iter().all(|sentence| sentence.contains("take dlmalloc")),
            "{story:?}"
        );
    }

    #[test]
    fn without_figures_to_compare_nothing_is_advised() {
        let mut unknown = line("dlmalloc", 1.0, 1.0, 8000);
        unknown.code_bytes = None;
        assert!(of(&[unknown, line("other", 0.5, 0.5, 5)]).is_empty());
        assert!(of(&[line("dlmalloc", 1.0, 1.0, 8000)]).is_empty());
    }
}
