//! A JSON document of a list of records, parsed into a tree of values and printed again.

use harness::{Checksum, Input, Random, with_input};
use serde_json::{Value, json};

harness::export_workloads! {
    "json_prepare" => prepare,
    "json" => parse_and_print,
}

thread_local! {
    static DOCUMENT: Input<String> = const { Input::new(None) };
}

/// Makes a document of `argument` records; 1500 are about 600 kB.
pub fn prepare(argument: u32) -> u64 {
    let mut random = Random::new(21);
    let records: Vec<Value> = (0..argument).map(|id| record(id, &mut random)).collect();
    let document = Value::Array(records).to_string();
    let bytes = document.len() as u64;
    DOCUMENT.set(Some(document));
    bytes
}

fn record(id: u32, random: &mut Random) -> Value {
    let tags: Vec<String> = (0..random.below(6)).map(|_| random.word()).collect();
    let friends: Vec<Value> = (0..random.below(4))
        .map(|_| json!({ "id": random.below(10_000), "name": random.word() }))
        .collect();
    json!({
        "id": id,
        "active": random.below(2) == 0,
        "balance": random.below(1_000_000) as f64 / 64.0,
        "name": format!("{} {}", random.word(), random.word()),
        "about": random.sentence(20),
        "position": { "latitude": random.below(180) as f64 / 8.0, "longitude": random.below(360) as f64 / 8.0 },
        "tags": tags,
        "friends": friends,
        "note": if random.below(3) == 0 { Value::Null } else { Value::from(random.sentence(5)) },
    })
}

/// Parses the document and prints the tree, 3 times; the third print is indented.
pub fn parse_and_print(_argument: u32) -> u64 {
    with_input(&DOCUMENT, |document| {
        let mut checksum = Checksum::new();
        for round in 0..3 {
            let tree: Value = serde_json::from_str(document).expect("the document is JSON");
            let printed = match round {
                2 => serde_json::to_string_pretty(&tree),
                _ => serde_json::to_string(&tree),
            };
            checksum.add_bytes(printed.expect("a tree of values prints").as_bytes());
        }
        checksum.finish()
    })
}

#[cfg(test)]
mod tests {
    use super::{parse_and_print, prepare};

    #[test]
    fn the_document_of_the_report_has_at_least_500_kb() {
        assert!(prepare(1500) >= 500_000);
    }

    #[test]
    fn printing_again_gives_the_same_checksum() {
        prepare(10);
        assert_eq!(parse_and_print(0), parse_and_print(0));
    }
}
