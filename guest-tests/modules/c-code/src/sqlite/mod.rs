//! SQLite: after each part of its work a table must have the rows of a map that went through the same changes.

mod database;
mod vfs;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use database::Database;
use fastrand::Rng;
use guest_tests::failure;

/// Keys from 0 on.
const KEYS: i64 = 2_000;

/// In so many parts the steps are done. After each the database is compared with the map, and goes through a file.
const PARTS: u32 = 4;

type Rows = BTreeMap<i64, Vec<u8>>;

/// Makes `steps` changes.
pub(crate) fn play(seed: u32, steps: u32) {
    let mut random = Rng::with_seed(seed.into());
    let mut database = Database::new();
    let mut rows = Rows::new();
    database.execute(c"CREATE TABLE stored (key INTEGER PRIMARY KEY, value BLOB NOT NULL)");
    database.execute(c"CREATE INDEX by_value ON stored (length(value), value)");
    for _ in 0..PARTS {
        change(&mut database, &mut rows, &mut random, steps / PARTS);
        check(&database, &rows);
        let file = database.into_file();
        database = Database::from_file(file);
        check(&database, &rows);
    }
    database::shut_down();
}

/// Makes changes, some in transactions, of which some are taken back.
fn change(database: &mut Database, rows: &mut Rows, random: &mut Rng, steps: u32) {
    let put =
        database.prepare(c"INSERT INTO stored VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value");
    let get = database.prepare(c"SELECT value FROM stored WHERE key = ?1");
    let remove = database.prepare(c"DELETE FROM stored WHERE key = ?1");
    let remove_range = database.prepare(c"DELETE FROM stored WHERE key BETWEEN ?1 AND ?1 + 20");
    let mut before: Option<Rows> = None;
    for _ in 0..steps {
        failure::begin_step();
        let key = random.i64(0..KEYS);
        match random.u32(0..100) {
            0..60 => {
                let value = value(random);
                put.bind_number(1, key).bind_bytes(2, &value).run();
                rows.insert(key, value);
            }
            60..85 => {
                remove.bind_number(1, key).run();
                rows.remove(&key);
            }
            85..97 => {
                let value = get.bind_number(1, key).first_value();
                assert!(value.as_ref() == rows.get(&key), "the value of key {key}");
            }
            97 => {
                remove_range.bind_number(1, key).run();
                rows.retain(|it, _| !(key..=key + 20).contains(it));
            }
            _ => match before.take() {
                None => {
                    database.execute(c"BEGIN");
                    before = Some(rows.clone());
                }
                Some(_) if random.bool() => database.execute(c"COMMIT"),
                Some(old) => {
                    database.execute(c"ROLLBACK");
                    *rows = old;
                }
            },
        }
    }
    if before.is_some() {
        database.execute(c"COMMIT");
    }
}

/// Mostly short, some of several pages of the database.
fn value(random: &mut Rng) -> Vec<u8> {
    let longest = if random.u32(0..50) == 0 { 20_000 } else { 300 };
    let size = random.usize(1..=longest);
    (0..size).map(|_| random.u8(..)).collect()
}

fn check(database: &Database, rows: &Rows) {
    let all = database.prepare(c"SELECT key, value FROM stored ORDER BY key");
    let mut expected = rows.iter();
    all.for_each_row(|row| {
        let (key, value) = expected.next().expect("the table has more rows than the map");
        assert_eq!(row.number(0), *key);
        assert!(row.bytes(1) == value, "the value of key {key}");
    });
    assert_eq!(expected.next(), None, "the table has fewer rows than the map");

    let by_value = database.prepare(c"SELECT count(*) FROM stored WHERE length(value) > 150");
    let long = rows.values().filter(|value| value.len() > 150).count();
    by_value.for_each_row(|row| assert_eq!(row.number(0), long as i64));

    let integrity = database.prepare(c"PRAGMA integrity_check");
    integrity.for_each_row(|row| assert_eq!(row.bytes(0), b"ok"));
}
