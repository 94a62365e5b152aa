//! jaq, a jq: filters are compiled and run over a document, as a playground in a browser does.

use harness::{Checksum, Input, Random, with_input};
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, data, unwrap_valr};
use jaq_json::{Val, read, write};

harness::export_workloads! {
    "jaq_prepare" => prepare,
    "jaq" => run_filters,
}

thread_local! {
    static DOCUMENT: Input<String> = const { Input::new(None) };
}

/// One filter for each kind of work that a jq does: choosing, grouping, updating, matching, walking, and folding.
const FILTERS: [&str; 8] = [
    "map(select(.active) | {id, name, total: (.orders | map(.price * .count) | add)})",
    "group_by(.team) | map({team: .[0].team, members: length, names: (map(.name) | sort)})",
    "[.[].tags[]] | group_by(.) | map({(.[0]): length}) | add",
    "map(.orders |= map(.price *= 1.19)) | map(.name |= ascii_upcase)",
    r#"map(select(.mail | test("^[a-m].*@"))) | map(.mail | capture("(?<user>[a-z]+)@(?<host>.+)"))"#,
    "[paths(type == \"number\")] | length",
    "reduce .[] as $record ({}; .[$record.team] += [$record.id])",
    "sort_by(-.balance, .name) | .[:20] | map(tojson | fromjson)",
];

/// Makes a document of `argument` records.
fn prepare(argument: u32) -> u64 {
    let mut random = Random::new(31);
    let records: Vec<String> = (0..argument).map(|id| record(id, &mut random)).collect();
    let document = format!("[{}]", records.join(",\n"));
    let bytes = document.len() as u64;
    DOCUMENT.set(Some(document));
    bytes
}

fn record(id: u32, random: &mut Random) -> String {
    let tags: Vec<String> = (0..random.below(5)).map(|_| format!("\"{}\"", random.word())).collect();
    let orders: Vec<String> = (0..random.below(4))
        .map(|_| {
            format!(
                r#"{{"price": {}, "count": {}}}"#,
                random.below(100_000) as f64 / 100.0,
                random.below(9)
            )
        })
        .collect();
    format!(
        r#"{{"id": {id}, "name": "{} {}", "team": "{}", "mail": "{}@{}.example", "active": {}, "balance": {}, "tags": [{}], "orders": [{}]}}"#,
        random.word(),
        random.word(),
        random.choose(&["red", "green", "blue", "yellow", "black", "white"]),
        random.word(),
        random.word(),
        random.below(3) > 0,
        random.below(1_000_000) as f64 / 64.0,
        tags.join(", "),
        orders.join(", "),
    )
}

/// Compiles each filter, parses the document for it, and prints what the filter gives.
fn run_filters(_argument: u32) -> u64 {
    with_input(&DOCUMENT, |document| {
        let mut checksum = Checksum::new();
        for filter in FILTERS {
            checksum.add_bytes(&output(filter, document));
        }
        checksum.finish()
    })
}

fn output(filter: &str, document: &str) -> Vec<u8> {
    let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let arena = Arena::default();
    let modules = Loader::new(definitions)
        .load(&arena, File { code: filter, path: () })
        .unwrap_or_else(|_| panic!("the filter parses: {filter}"));
    let filter = Compiler::default()
        .with_funs(functions)
        .compile(modules)
        .unwrap_or_else(|_| panic!("the filter compiles"));
    let input = read::parse_single(document.as_bytes()).expect("the document is JSON");
    let context = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([]));
    let mut printed = Vec::new();
    for value in filter.id.run((context, input)).map(unwrap_valr) {
        let value = value.unwrap_or_else(|error| panic!("the filter runs: {error}"));
        write::write(&mut printed, &write::Pp::default(), 0, &value).expect("a vector takes all bytes");
        printed.push(b'\n');
    }
    printed
}

#[cfg(test)]
mod tests {
    use super::{FILTERS, output, prepare, run_filters};

    const DOCUMENT: &str = r#"[
        {"id": 1, "name": "b", "team": "red", "mail": "ada@here.example", "active": true, "balance": 2, "tags": ["x", "y"], "orders": [{"price": 2, "count": 3}]},
        {"id": 2, "name": "a", "team": "red", "mail": "zoe@here.example", "active": false, "balance": 3, "tags": ["x"], "orders": []}
    ]"#;

    #[test]
    fn the_filters_choose_group_count_and_match() {
        let outputs = FILTERS.map(|filter| String::from_utf8(output(filter, DOCUMENT)).unwrap());
        let expected = [
            (0, "[{\"id\":1,\"name\":\"b\",\"total\":6}]\n"),
            (1, "[{\"team\":\"red\",\"members\":2,\"names\":[\"a\",\"b\"]}]\n"),
            (2, "{\"x\":2,\"y\":1}\n"),
            (4, "[{\"user\":\"ada\",\"host\":\"here.example\"}]\n"),
            (6, "{\"red\":[1,2]}\n"),
        ];
        for (index, text) in expected {
            assert_eq!(outputs[index], text, "{}", FILTERS[index]);
        }
    }

    #[test]
    fn the_same_document_gives_the_same_checksum() {
        prepare(10);
        assert_eq!(run_filters(0), run_filters(0));
    }
}
