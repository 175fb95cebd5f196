//! Every parser of foreign input, with mutated input. No parser panics.
//!
//! `COVENANT_PARSER_CASES=1000000 cargo test --release --test it parsers` tries more cases. An input that once caused
//! a panic is kept with the seeds of its parser, in `fuzz/seeds/`, and is tried first.

#[path = "../../fuzz/parsers.rs"]
#[expect(unreachable_pub, reason = "the fuzz targets use it as well")]
mod shared;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use covenant::clock::Seed;
use rand::seq::{IndexedMutRandom, IndexedRandom};
use rand::{Rng, RngExt};
use serde_json::{Value, json};
use shared::PARSERS;

/// The default number of mutated inputs for each parser.
const CASES: u32 = 1500;
/// The factor by which the parser `transcript` gets fewer inputs: it also evaluates each transcript, which takes longer.
const TRANSCRIPT_FACTOR: u32 = 20;
/// The longest mutated input, in bytes. Another test has deep and long inputs.
const BYTES_MAX: usize = 64 * 1024;

/// Byte sequences that often break parsers.
const TOKENS: &[&[u8]] = &[
    b"\0",
    b"\xff\xfe",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\x1b[2J",
    b"]]>",
    b"&lt;",
    b"\\ud800",
    b"\\u0000",
    b"1e99999",
    b"-9223372036854775809",
    b"18446744073709551616",
    b"NaN",
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"\"\"",
    b"\"",
    b"'''",
    b"\"\"\"",
    b"{",
    b"[",
    b"}",
    b"]",
    b"\n",
    b"\r\n",
    b"\t",
    b"=",
    b"[[x]]",
    b"${id:x}",
    b"${",
    b"}",
    b"%",
    b"%00",
    b"..",
    b"//",
    b"9999-12-31T23:59:59Z",
    b"-----BEGIN CERTIFICATE-----\n",
    b"-----END CERTIFICATE-----\n",
    b"\xe2\x80\xae",
    b"\xef\xbb\xbf",
];

#[test]
fn parsers_do_not_panic_on_mutated_input() {
    let cases =
        std::env::var("COVENANT_PARSER_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES);
    for (name, parse) in PARSERS {
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "fuzz/seeds/{name} has no seed");
        for seed in &seeds {
            attempt(name, *parse, seed);
        }
        let mut rng = Seed(1).derive(name).rng();
        let cases = if *name == "transcript" { cases / TRANSCRIPT_FACTOR } else { cases };
        for _ in 0..cases {
            let mut input = seeds.choose(&mut rng).expect("not empty").clone();
            for _ in 0..rng.random_range(1..6) {
                mutate(&mut input, &seeds, &mut rng);
            }
            input.truncate(BYTES_MAX);
            attempt(name, *parse, &input);
        }
    }
}

#[test]
fn parsers_do_not_panic_on_deep_or_long_input() {
    let deep =
        [b"[".as_slice(), b"{\"a\":", b"((", b"[[a.", b"a.b.", b"{a="].map(|piece| piece.repeat(100_000));
    let long = [b" ".as_slice(), b"a", b"\n", b"\"a\":1,", b"\x30\x80"].map(|piece| piece.repeat(500_000));
    for (name, parse) in PARSERS {
        for input in deep.iter().chain(&long) {
            attempt(name, *parse, input);
        }
    }
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name);
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a seed")).collect()
}

fn mutate(input: &mut Vec<u8>, seeds: &[Vec<u8>], rng: &mut impl Rng) {
    let place = rng.random_range(0..=input.len());
    match rng.random_range(0..10) {
        0 => input.truncate(place),
        1 => {
            if let Some(byte) = input.get_mut(place) {
                *byte ^= 1 << rng.random_range(0..8);
            }
        }
        2 => {
            let end = (place + rng.random_range(0..16)).min(input.len());
            input.drain(place..end);
        }
        3 => {
            let token = TOKENS.choose(rng).expect("not empty");
            input.splice(place..place, token.iter().copied());
        }
        4 => {
            let end = (place + rng.random_range(0..64)).min(input.len());
            let twice = input[place..end].to_vec();
            input.splice(place..place, twice);
        }
        5 => {
            let other = seeds.choose(rng).expect("not empty");
            let from = rng.random_range(0..=other.len());
            let until = (from + rng.random_range(0..64)).min(other.len());
            input.splice(place..place, other[from..until].iter().copied());
        }
        6 => {
            if let Some(byte) = input.get_mut(place) {
                *byte = rng.random();
            }
        }
        _ => mutate_json(input, rng),
    }
}

/// Replaces one value in one line of JSON, so that the result is still JSON.
fn mutate_json(input: &mut Vec<u8>, rng: &mut impl Rng) {
    let mut lines: Vec<Vec<u8>> = input.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let line = lines.choose_mut(rng).expect("not empty");
    let Ok(mut value) = serde_json::from_slice::<Value>(line) else { return };
    let count = count(&value);
    let odd = if rng.random_bool(0.1) { nested(rng.random_range(1..120)) } else { odd(rng) };
    replace(&mut value, &mut rng.random_range(0..count), odd);
    *line = value.to_string().into_bytes();
    if rng.random_bool(0.1) && line.first() == Some(&b'{') && line.len() > 2 {
        // Duplicate every member.
        let again = line[1..line.len() - 1].to_vec();
        line.splice(1..1, again.into_iter().chain(*b","));
    }
    *input = lines.join(&b'\n');
}

/// Returns a value of another type, or one at the limit of its range.
fn odd(rng: &mut impl Rng) -> Value {
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e308),
        json!(-0.0),
        json!(""),
        json!("\u{0}\u{1b}[2J\u{202e}]]><x/>"),
        json!("9999-12-30T22:00:00.999999999Z"),
        json!("-009999-01-02T01:59:59Z"),
        json!("${now9223372036854775807}"),
        json!("9".repeat(400)),
        json!("/api/v1/system/federation_api/heartbeat"),
        json!([]),
        json!([[], {}, null]),
        json!({}),
        json!({"": {"": ""}}),
    ];
    values.choose(rng).expect("not empty").clone()
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(Value::Null, |inner, _| json!([inner]))
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}

/// Replaces the value number `place`, in the order of the text, by `odd`. Returns `odd` if there are fewer values.
fn replace(value: &mut Value, place: &mut usize, odd: Value) -> Option<Value> {
    if *place == 0 {
        *value = odd;
        return None;
    }
    *place -= 1;
    let children: Vec<&mut Value> = match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(members) => members.values_mut().collect(),
        _ => Vec::new(),
    };
    children.into_iter().try_fold(odd, |odd, child| replace(child, place, odd))
}

fn attempt(name: &str, parse: fn(&[u8]), input: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| parse(input))).is_err() {
        let path = std::env::temp_dir().join(format!("covenant-{name}-crash"));
        std::fs::write(&path, input).expect("it is written");
        panic!("the parser of {name} panicked; its input is in {}", path.display());
    }
}
