//! sqlparser: statements are parsed into a syntax tree and printed again, as an editor's formatter and a planner do.

use harness::{Checksum, Input, Random, with_input};
use sqlparser::dialect::{Dialect, GenericDialect, PostgreSqlDialect};
use sqlparser::parser::Parser;

harness::export_workloads! {
    "sqlparser_prepare" => prepare,
    "sqlparser" => parse_and_print,
}

thread_local! {
    static SCRIPT: Input<String> = const { Input::new(None) };
}

/// Makes a script of `argument` statements.
fn prepare(argument: u32) -> u64 {
    let mut random = Random::new(37);
    let script: String = (0..argument).map(|_| statement(&mut random)).collect();
    let bytes = script.len() as u64;
    SCRIPT.set(Some(script));
    bytes
}

fn statement(random: &mut Random) -> String {
    let table = random.word();
    match random.below(6) {
        0 => create_table(&table, random),
        1 => insert(&table, random),
        2 => format!(
            "UPDATE {table} SET {} = {} + 1, {} = upper({}) WHERE {};\n",
            random.word(),
            random.word(),
            random.word(),
            random.word(),
            condition(random, 3)
        ),
        3 => format!("DELETE FROM {table} WHERE {};\n", condition(random, 2)),
        4 => format!(
            "WITH recent AS ({}) SELECT * FROM recent WHERE {} IN ({});\n",
            select(random),
            random.word(),
            select(random)
        ),
        _ => select(random) + ";\n",
    }
}

fn create_table(table: &str, random: &mut Random) -> String {
    let columns: Vec<String> = (0..random.within(3, 10))
        .map(|_| {
            let kind = *random.choose(&[
                "INTEGER NOT NULL",
                "TEXT",
                "DECIMAL(10, 2) DEFAULT 0",
                "TIMESTAMP",
                "BOOLEAN",
            ]);
            format!("{} {kind}", random.word())
        })
        .collect();
    format!(
        "CREATE TABLE IF NOT EXISTS {table} (id BIGINT PRIMARY KEY, {});\n",
        columns.join(", ")
    )
}

fn insert(table: &str, random: &mut Random) -> String {
    let rows: Vec<String> = (0..random.within(1, 12))
        .map(|_| {
            format!(
                "({}, '{}', {}.5, NULL)",
                random.below(10_000),
                random.sentence(6),
                random.below(100)
            )
        })
        .collect();
    format!(
        "INSERT INTO {table} (id, text, amount, note) VALUES {};\n",
        rows.join(", ")
    )
}

fn select(random: &mut Random) -> String {
    let columns: Vec<String> = (0..random.within(1, 6))
        .map(|_| match random.below(4) {
            0 => format!("count(DISTINCT t.{})", random.word()),
            1 => format!(
                "CASE WHEN {} THEN 'yes' ELSE 'no' END AS {}",
                condition(random, 1),
                random.word()
            ),
            2 => format!(
                "sum(t.{}) OVER (PARTITION BY t.{} ORDER BY u.{})",
                random.word(),
                random.word(),
                random.word()
            ),
            _ => format!("t.{} AS {}", random.word(), random.word()),
        })
        .collect();
    format!(
        "SELECT {} FROM {} AS t LEFT JOIN {} AS u ON t.id = u.id WHERE {} GROUP BY t.{} HAVING count(*) > {} \
         ORDER BY t.{} DESC LIMIT {}",
        columns.join(", "),
        random.word(),
        random.word(),
        condition(random, 4),
        random.word(),
        random.below(9),
        random.word(),
        random.within(1, 500),
    )
}

fn condition(random: &mut Random, terms: usize) -> String {
    let terms: Vec<String> = (0..random.within(1, terms))
        .map(|_| match random.below(4) {
            0 => format!(
                "{} BETWEEN {} AND {}",
                random.word(),
                random.below(50),
                random.within(50, 99)
            ),
            1 => format!("({} = '{}' OR {} IS NULL)", random.word(), random.word(), random.word()),
            2 => format!("{} LIKE '%{}%'", random.word(), random.word()),
            _ => format!("{} * 2 >= {} - {}", random.word(), random.word(), random.below(1000)),
        })
        .collect();
    terms.join(" AND ")
}

/// Parses the script in two dialects, and prints each statement.
fn parse_and_print(_argument: u32) -> u64 {
    with_input(&SCRIPT, |script| {
        let mut checksum = Checksum::new();
        checksum.add_bytes(printed(&GenericDialect {}, script).as_bytes());
        checksum.add_bytes(printed(&PostgreSqlDialect {}, script).as_bytes());
        checksum.finish()
    })
}

fn printed(dialect: &dyn Dialect, script: &str) -> String {
    let statements = Parser::parse_sql(dialect, script).unwrap_or_else(|error| panic!("the script is SQL: {error}"));
    let lines: Vec<String> = statements.iter().map(|statement| format!("{statement};\n")).collect();
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::{parse_and_print, prepare, printed};
    use sqlparser::dialect::GenericDialect;

    #[test]
    fn a_statement_is_printed_as_it_was_parsed() {
        let statement = "SELECT a, count(*) FROM t AS x WHERE b = 'c' GROUP BY a;\n";
        assert_eq!(
            printed(&GenericDialect {}, &statement.to_lowercase().replace('X', "x")),
            statement
        );
    }

    #[test]
    fn every_made_statement_parses() {
        prepare(300);
        assert_eq!(parse_and_print(0), parse_and_print(0));
    }
}
