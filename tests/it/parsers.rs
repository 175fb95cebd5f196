//! Every parser of what comes from outside, with mutated input: whatever it is given, it does not panic.
//!
//! `COVENANT_PARSER_CASES=1000000 cargo test --release --test it parsers` tries longer. What once made one panic
//! stands beside its seeds, in `fuzz/seeds/`, and is tried first.

#[path = "../../fuzz/parsers.rs"]
#[expect(unreachable_pub, reason = "the fuzz targets use it as well")]
mod given;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use covenant::clock::Seed;
use given::PARSERS;
use rand::Rng;
use rand::seq::{IndexedMutRandom, IndexedRandom};
use serde_json::{Value, json};

/// Mutated inputs of each parser, where nothing else is asked for.
const CASES: u32 = 1500;
/// A transcript that can be read is evaluated, which takes so many times as long.
const EVALUATING: u32 = 20;
/// Inputs are no longer than this, in bytes; the deep and the long ones are cases of their own.
const BYTES_MAX: usize = 64 * 1024;

/// What breaks parsers.
const NASTY: &[&[u8]] = &[
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
fn no_parser_panics_on_what_it_is_given() {
    let cases =
        std::env::var("COVENANT_PARSER_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES);
    for (name, parse) in PARSERS {
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "fuzz/seeds/{name} has no seed");
        for seed in &seeds {
            attempt(name, *parse, seed);
        }
        let mut rng = Seed(1).derive(name).rng();
        let cases = if *name == "transcript" { cases / EVALUATING } else { cases };
        for _ in 0..cases {
            let mut input = seeds.choose(&mut rng).expect("there is one").clone();
            for _ in 0..rng.random_range(1..6) {
                mutate(&mut input, &seeds, &mut rng);
            }
            input.truncate(BYTES_MAX);
            attempt(name, *parse, &input);
        }
    }
}

#[test]
fn no_parser_gives_in_to_depth_or_length() {
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
            let nasty = NASTY.choose(rng).expect("there is one");
            input.splice(place..place, nasty.iter().copied());
        }
        4 => {
            let end = (place + rng.random_range(0..64)).min(input.len());
            let twice = input[place..end].to_vec();
            input.splice(place..place, twice);
        }
        5 => {
            let other = seeds.choose(rng).expect("there is one");
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

/// Mutates one line that is JSON by its structure, so that what comes out of it is JSON still.
fn mutate_json(input: &mut Vec<u8>, rng: &mut impl Rng) {
    let mut lines: Vec<Vec<u8>> = input.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let line = lines.choose_mut(rng).expect("there is one");
    let Ok(mut value) = serde_json::from_slice::<Value>(line) else { return };
    let count = count(&value);
    let odd = if rng.random_bool(0.1) { nested(rng.random_range(1..120)) } else { odd(rng) };
    replace(&mut value, &mut rng.random_range(0..count), odd);
    *line = value.to_string().into_bytes();
    if rng.random_bool(0.1) && line.first() == Some(&b'{') && line.len() > 2 {
        // Every member once more.
        let again = line[1..line.len() - 1].to_vec();
        line.splice(1..1, again.into_iter().chain(*b","));
    }
    *input = lines.join(&b'\n');
}

/// What a value of some other kind, or at the end of its range, looks like.
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
    values.choose(rng).expect("there is one").clone()
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

/// Puts `odd` in the place of the value that is `place` steps on, in the order of reading.
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
