//! Answers that are none: on a connection that speaks HTTP/1.1, in place of the answer to a request.

use futures_util::future::{BoxFuture, FutureExt, pending};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::server::{Asked, Behaviour, How, Wire, answer, conforming};

type Done = std::io::Result<()>;
type Act = for<'a> fn(&'a mut Wire, &'a Asked) -> BoxFuture<'a, Done>;

const fn spoiling(name: &'static str, act: Act) -> Behaviour {
    Behaviour { name, spoils: true, how: How::Answer(act) }
}

/// What can be read as what it says, however it is dressed.
const fn harmless(name: &'static str, act: Act) -> Behaviour {
    Behaviour { name, spoils: false, how: How::Answer(act) }
}

pub(crate) const ANSWERS: &[Behaviour] = &[
    spoiling("never answers", |_, _| pending().boxed()),
    spoiling("answers a byte a second", |wire, asked| drip(wire, asked).boxed()),
    spoiling("body without end, in chunks", |wire, _| forever(wire, HEAD_CHUNKED, b"400\r\n", 0x400).boxed()),
    spoiling("body without end, with a length", |wire, _| forever(wire, HEAD_LONG, b"", 0x10000).boxed()),
    spoiling("body without end, until it closes", |wire, _| forever(wire, HEAD_BARE, b"", 0x10000).boxed()),
    spoiling("headers without end", |wire, _| header_lines(wire, usize::MAX).boxed()),
    spoiling("ten thousand headers", |wire, _| header_lines(wire, 10_000).boxed()),
    spoiling("a header of four megabytes", |wire, _| long_header(wire).boxed()),
    spoiling("a status line without end", |wire, _| forever(wire, "HTTP/1.1 200 ", b"", 0x1000).boxed()),
    spoiling("informational answers without end", |wire, _| {
        repeat(wire, "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n").boxed()
    }),
    spoiling("a length that is too long", |wire, asked| with_length(wire, asked, 100).boxed()),
    spoiling("a length that is too short", |wire, asked| with_length(wire, asked, -10).boxed()),
    spoiling("a length below zero", |wire, _| {
        raw(wire, "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n{}").boxed()
    }),
    spoiling("two lengths that differ", |wire, _| {
        raw(wire, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 40\r\n\r\n{}").boxed()
    }),
    spoiling("a chunk of 2^64 bytes", |wire, _| {
        raw(wire, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n{}").boxed()
    }),
    spoiling("chunks that are none", |wire, _| {
        raw(wire, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nmany\r\n{}\r\n").boxed()
    }),
    spoiling("trailers without end", |wire, _| trailers(wire).boxed()),
    spoiling("closes before the status", |wire, _| raw(wire, "").boxed()),
    spoiling("closes in the status", |wire, _| raw(wire, "HTTP/1.1 2").boxed()),
    spoiling("closes in the headers", |wire, _| raw(wire, "HTTP/1.1 200 OK\r\ncontent-ty").boxed()),
    spoiling("closes in the body", |wire, _| {
        raw(wire, "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"data\":").boxed()
    }),
    spoiling("resets the connection", |wire, _| reset(wire).boxed()),
    spoiling("rubbish in place of HTTP", |wire, _| {
        raw(wire, "\u{1}\u{2}\u{7f}SSH-2.0-hello\r\n\r\n").boxed()
    }),
    spoiling("status 999", |wire, _| raw(wire, "HTTP/1.1 999 \r\ncontent-length: 2\r\n\r\n{}").boxed()),
    spoiling("status 99", |wire, _| raw(wire, "HTTP/1.1 99 \r\ncontent-length: 2\r\n\r\n{}").boxed()),
    spoiling("switches protocols", |wire, _| {
        raw(wire, "HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n").boxed()
    }),
    spoiling("redirects to another host", |wire, asked| {
        redirect(wire, format!("https://{}/x", asked.trap)).boxed()
    }),
    spoiling("redirects to itself", |wire, asked| {
        redirect(wire, format!("/api/v1/system/federation_api/{}", asked.route)).boxed()
    }),
    spoiling("a gigabyte of JSON", |wire, _| gigabyte(wire).boxed()),
    spoiling("an error that echoes the tokens", |wire, asked| echo(wire, asked).boxed()),
    spoiling("an error in terminal escapes and XML", |wire, _| {
        refuse(wire, "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}]]><x/>&lt;\u{0}").boxed()
    }),
    spoiling("JSON 100,000 deep beside the answer", |wire, asked| deep(wire, asked).boxed()),
    spoiling("JSON of nothing but brackets", |wire, _| body(wire, "[".repeat(100_000)).boxed()),
    harmless("members twice", |wire, asked| doubled(wire, asked).boxed()),
    spoiling("invalid UTF-8", |wire, _| bytes(wire, b"{\"data\":\"\xff\xfe\xc0\x80\"}").boxed()),
    harmless("NUL in texts", |wire, asked| dressed(wire, asked, "\"x\":\"a\\u0000b\",").boxed()),
    spoiling("lone surrogates in texts", |wire, asked| dressed(wire, asked, "\"x\":\"\\ud800\",").boxed()),
    spoiling("numbers beyond range", |wire, asked| {
        dressed(wire, asked, "\"x\":1e99999,\"y\":-9223372036854775809,").boxed()
    }),
    spoiling("HTML under another type", |wire, _| html(wire).boxed()),
    spoiling("a compressed bomb", |wire, _| bomb(wire).boxed()),
    harmless("the answer to another route", |wire, asked| other_route(wire, asked).boxed()),
    harmless("a second answer behind the first", |wire, asked| twice(wire, asked).boxed()),
    harmless("escapes and XML in every text", |wire, asked| painted(wire, asked).boxed()),
    harmless("endpoints of other hosts", |wire, asked| elsewhere(wire, asked).boxed()),
];

const HEAD_BARE: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";
const HEAD_LONG: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000000000000\r\n\r\n";
const HEAD_CHUNKED: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";

async fn raw(wire: &mut Wire, text: &str) -> Done {
    wire.write_all(text.as_bytes()).await?;
    wire.shutdown().await
}

async fn bytes(wire: &mut Wire, body: &[u8]) -> Done {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    wire.write_all(head.as_bytes()).await?;
    wire.write_all(body).await?;
    wire.flush().await
}

async fn body(wire: &mut Wire, text: String) -> Done {
    bytes(wire, text.as_bytes()).await
}

async fn refuse(wire: &mut Wire, why: &str) -> Done {
    let body = serde_json::json!({"success": false, "error": why}).to_string();
    raw(
        wire,
        &format!(
            "HTTP/1.1 422 No\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ),
    )
    .await
}

async fn drip(wire: &mut Wire, asked: &Asked) -> Done {
    let body = conforming(&asked.route).to_string();
    let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let mut seconds = tokio::time::interval(std::time::Duration::from_secs(1));
    for byte in text.bytes() {
        seconds.tick().await;
        wire.write_all(&[byte]).await?;
        wire.flush().await?;
    }
    Ok(())
}

async fn forever(wire: &mut Wire, head: &str, before: &[u8], length: usize) -> Done {
    wire.write_all(head.as_bytes()).await?;
    let piece = [before, &vec![b' '; length], if before.is_empty() { b"" } else { b"\r\n" }].concat();
    loop {
        wire.write_all(&piece).await?;
    }
}

async fn repeat(wire: &mut Wire, text: &str) -> Done {
    loop {
        wire.write_all(text.as_bytes()).await?;
    }
}

async fn header_lines(wire: &mut Wire, count: usize) -> Done {
    wire.write_all(b"HTTP/1.1 200 OK\r\n").await?;
    for number in 0..count {
        wire.write_all(format!("x-{number}: y\r\n").as_bytes()).await?;
    }
    raw(wire, "content-length: 2\r\n\r\n{}").await
}

async fn long_header(wire: &mut Wire) -> Done {
    wire.write_all(b"HTTP/1.1 200 OK\r\nx: ").await?;
    wire.write_all(&vec![b'a'; 4 << 20]).await?;
    raw(wire, "\r\ncontent-length: 2\r\n\r\n{}").await
}

async fn trailers(wire: &mut Wire) -> Done {
    wire.write_all(HEAD_CHUNKED.as_bytes()).await?;
    wire.write_all(b"2\r\n{}\r\n0\r\n").await?;
    repeat(wire, "x: y\r\n").await
}

async fn with_length(wire: &mut Wire, asked: &Asked, more: isize) -> Done {
    let body = conforming(&asked.route).to_string();
    let length = body.len().saturating_add_signed(more);
    raw(wire, &format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}")).await
}

async fn reset(wire: &mut Wire) -> Done {
    wire.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n").await?;
    wire.flush().await?;
    let socket = wire.get_ref().get_ref().0;
    // Closed with nothing to linger for: the other end sees a reset.
    tokio::net::TcpStream::set_zero_linger(socket)
}

async fn redirect(wire: &mut Wire, to: String) -> Done {
    raw(wire, &format!("HTTP/1.1 307 Over there\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")).await
}

async fn gigabyte(wire: &mut Wire) -> Done {
    wire.write_all(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1073741824\r\n\r\n{\"data\":[",
    )
    .await?;
    let piece = b"{\"a\":[1,2,3]},".repeat(4096);
    for _ in 0..(1 << 30) / piece.len() {
        wire.write_all(&piece).await?;
    }
    wire.shutdown().await
}

async fn echo(wire: &mut Wire, asked: &Asked) -> Done {
    refuse(wire, &format!("what is this? {}", asked.sent)).await
}

/// The conforming answer, with members before its own.
async fn dressed(wire: &mut Wire, asked: &Asked, members: &str) -> Done {
    let conforming = conforming(&asked.route).to_string();
    let text = format!("{{{members}{}", conforming.strip_prefix('{').unwrap_or_default());
    answer(wire, &text).await
}

/// The conforming answer, with another value for each of its members before them: the last one counts.
async fn doubled(wire: &mut Wire, asked: &Asked) -> Done {
    let conforming = conforming(&asked.route);
    let members = conforming.as_object().into_iter().flat_map(serde_json::Map::keys);
    let controls: Vec<String> = members.map(|name| format!("{}:false,", json!(name))).collect();
    dressed(wire, asked, &controls.concat()).await
}

async fn deep(wire: &mut Wire, asked: &Asked) -> Done {
    let brackets = format!("\"x\":{}{},", "[".repeat(100_000), "]".repeat(100_000));
    dressed(wire, asked, &brackets).await
}

async fn html(wire: &mut Wire) -> Done {
    raw(
        wire,
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 27\r\n\r\n<html><body>hi</body></html",
    )
    .await
}

async fn bomb(wire: &mut Wire) -> Done {
    // Whatever it would unfold to: nobody asked for it to be compressed, and nobody unfolds it.
    let packed = [b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03".as_slice(), &[0xed; 4096]].concat();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        packed.len()
    );
    wire.write_all(head.as_bytes()).await?;
    wire.write_all(&packed).await?;
    wire.shutdown().await
}

async fn other_route(wire: &mut Wire, asked: &Asked) -> Done {
    let other = if asked.route == "heartbeat" { "migrations" } else { "heartbeat" };
    answer(wire, &conforming(other).to_string()).await
}

async fn twice(wire: &mut Wire, asked: &Asked) -> Done {
    let body = conforming(&asked.route).to_string();
    let one = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    wire.write_all(one.as_bytes()).await?;
    refuse(wire, "and another").await
}

async fn painted(wire: &mut Wire, asked: &Asked) -> Done {
    let mut value = conforming(&asked.route);
    paint(&mut value);
    answer(wire, &value.to_string()).await
}

fn paint(value: &mut Value) {
    match value {
        Value::String(text) => text.push_str("\u{1b}[31m\u{7}\u{9b}2J\u{202e}]]><script>\u{0}"),
        Value::Array(items) => items.iter_mut().for_each(paint),
        Value::Object(members) => members.values_mut().for_each(paint),
        _ => {}
    }
}

async fn elsewhere(wire: &mut Wire, asked: &Asked) -> Done {
    let mut value = conforming(&asked.route);
    let there = format!("https://{}", asked.trap);
    for member in ["our_endpoints", "endpoints"] {
        value["data"][member] = serde_json::json!([{"url": there, "scope": "wan", "priority": 0}]);
    }
    for member in ["base_url", "remote_instance_url", "backend_host", "notice_url"] {
        value["data"][member] = Value::from(there.clone());
    }
    answer(wire, &value.to_string()).await
}
