//! Hostile responses to a request, over HTTP/1.1.

use futures_util::future::{BoxFuture, FutureExt, pending};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::callers::call_the_peer;
use super::server::{Behaviour, Connection, Layer, Request, conforming, respond};

type IoResult = std::io::Result<()>;
type Respond = for<'a> fn(&'a mut Connection, &'a Request) -> BoxFuture<'a, IoResult>;

/// A response that no check may call kept.
pub(super) const fn invalid(name: &'static str, respond: Respond) -> Behaviour {
    Behaviour { name, is_invalid: true, layer: Layer::Response(respond) }
}

/// A response with this text, which no check may call kept.
pub(super) const fn text(name: &'static str, text: &'static str) -> Behaviour {
    Behaviour { name, is_invalid: true, layer: Layer::Text(text) }
}

/// An unusual response that is valid all the same.
const fn valid(name: &'static str, respond: Respond) -> Behaviour {
    Behaviour { name, is_invalid: false, layer: Layer::Response(respond) }
}

pub(crate) const RESPONSES: &[Behaviour] = &[
    invalid("never responds", |_, _| pending().boxed()),
    invalid("sends one byte a second", |connection, request| send_slowly(connection, request).boxed()),
    invalid("body without end, in chunks", |connection, _| {
        send_forever(connection, HEAD_CHUNKED, b"400\r\n", 0x400).boxed()
    }),
    invalid("body without end, with a length", |connection, _| {
        send_forever(connection, HEAD_LONG, b"", 0x10000).boxed()
    }),
    invalid("body without end, until it closes", |connection, _| {
        send_forever(connection, HEAD_BARE, b"", 0x10000).boxed()
    }),
    invalid("headers without end", |connection, _| header_lines(connection, usize::MAX).boxed()),
    invalid("ten thousand headers", |connection, _| header_lines(connection, 10_000).boxed()),
    invalid("a header of four megabytes", |connection, _| long_header(connection).boxed()),
    invalid("a status line without end", |connection, _| {
        send_forever(connection, "HTTP/1.1 200 ", b"", 0x1000).boxed()
    }),
    invalid("informational responses without end", |connection, _| {
        repeat(connection, "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n").boxed()
    }),
    invalid("a length that is too long", |connection, request| with_length(connection, request, 100).boxed()),
    invalid("a length that is too short", |connection, request| {
        with_length(connection, request, -10).boxed()
    }),
    text("a negative length", "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n{}"),
    text("two lengths that differ", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 40\r\n\r\n{}"),
    text(
        "a chunk of 2^64 bytes",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n{}",
    ),
    text(
        "chunks without a valid size",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nmany\r\n{}\r\n",
    ),
    invalid("trailers without end", |connection, _| trailers(connection).boxed()),
    text("closes before the status", ""),
    text("closes in the status", "HTTP/1.1 2"),
    text("closes in the headers", "HTTP/1.1 200 OK\r\ncontent-ty"),
    text("closes in the body", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"data\":"),
    invalid("resets the connection", |connection, _| reset(connection).boxed()),
    text("bytes that are not HTTP", "\u{1}\u{2}\u{7f}SSH-2.0-hello\r\n\r\n"),
    text("status 999", "HTTP/1.1 999 \r\ncontent-length: 2\r\n\r\n{}"),
    text("status 99", "HTTP/1.1 99 \r\ncontent-length: 2\r\n\r\n{}"),
    text(
        "switches protocols",
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
    ),
    invalid("redirects to another host", |connection, request| {
        redirect(connection, format!("https://{}/x", request.decoy)).boxed()
    }),
    invalid("redirects to itself", |connection, request| {
        redirect(connection, format!("/api/v1/system/federation_api/{}", request.route)).boxed()
    }),
    invalid("a gigabyte of JSON", |connection, _| gigabyte(connection).boxed()),
    invalid("an error that echoes the tokens", |connection, request| echo(connection, request).boxed()),
    invalid("an error text with terminal escapes and XML", |connection, _| {
        refuse(connection, "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}]]><x/>&lt;\u{0}").boxed()
    }),
    invalid("a response with a member nested 100,000 deep", |connection, request| {
        nested_member(connection, request).boxed()
    }),
    invalid("JSON of 100,000 opening brackets", |connection, _| {
        body(connection, "[".repeat(100_000)).boxed()
    }),
    valid("duplicate members", |connection, request| duplicate_members(connection, request).boxed()),
    invalid("invalid UTF-8", |connection, _| bytes(connection, b"{\"data\":\"\xff\xfe\xc0\x80\"}").boxed()),
    valid("NUL in strings", |connection, request| {
        with_members(connection, request, "\"x\":\"a\\u0000b\",").boxed()
    }),
    invalid("lone surrogates in strings", |connection, request| {
        with_members(connection, request, "\"x\":\"\\ud800\",").boxed()
    }),
    invalid("numbers out of range", |connection, request| {
        with_members(connection, request, "\"x\":1e99999,\"y\":-9223372036854775809,").boxed()
    }),
    invalid("HTML in place of JSON", |connection, _| html(connection).boxed()),
    invalid("a decompression bomb", |connection, _| decompression_bomb(connection).boxed()),
    valid("the response of another route", |connection, request| other_route(connection, request).boxed()),
    valid("a second response after the first", |connection, request| {
        two_responses(connection, request).boxed()
    }),
    valid("escapes and XML in every string", |connection, request| with_escapes(connection, request).boxed()),
    valid("512 connections with 8 MiB each to the peer", |connection, request| {
        call_the_peer(connection, request).boxed()
    }),
    valid("new TLS keys in every part of the response", |connection, request| {
        with_key_updates(connection, request).boxed()
    }),
    valid("endpoints of other hosts", |connection, request| other_hosts(connection, request).boxed()),
];

const HEAD_BARE: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";
const HEAD_LONG: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000000000000\r\n\r\n";
pub(super) const HEAD_CHUNKED: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";

pub(super) async fn raw(connection: &mut Connection, text: &str) -> IoResult {
    connection.write_all(text.as_bytes()).await?;
    connection.shutdown().await
}

pub(super) async fn bytes(connection: &mut Connection, body: &[u8]) -> IoResult {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes()).await?;
    connection.write_all(body).await?;
    connection.flush().await
}

pub(super) async fn body(connection: &mut Connection, text: String) -> IoResult {
    bytes(connection, text.as_bytes()).await
}

async fn refuse(connection: &mut Connection, error: &str) -> IoResult {
    let body = serde_json::json!({"success": false, "error": error}).to_string();
    raw(
        connection,
        &format!(
            "HTTP/1.1 422 No\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ),
    )
    .await
}

async fn send_slowly(connection: &mut Connection, request: &Request) -> IoResult {
    let body = conforming(&request.route).to_string();
    let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let mut seconds = tokio::time::interval(std::time::Duration::from_secs(1));
    for byte in text.bytes() {
        seconds.tick().await;
        connection.write_all(&[byte]).await?;
        connection.flush().await?;
    }
    Ok(())
}

pub(super) async fn send_forever(
    connection: &mut Connection,
    head: &str,
    before: &[u8],
    length: usize,
) -> IoResult {
    connection.write_all(head.as_bytes()).await?;
    let piece = [before, &vec![b' '; length], if before.is_empty() { b"" } else { b"\r\n" }].concat();
    loop {
        connection.write_all(&piece).await?;
    }
}

pub(super) async fn repeat(connection: &mut Connection, text: &str) -> IoResult {
    loop {
        connection.write_all(text.as_bytes()).await?;
    }
}

async fn header_lines(connection: &mut Connection, count: usize) -> IoResult {
    connection.write_all(b"HTTP/1.1 200 OK\r\n").await?;
    for number in 0..count {
        connection.write_all(format!("x-{number}: y\r\n").as_bytes()).await?;
    }
    raw(connection, "content-length: 2\r\n\r\n{}").await
}

async fn long_header(connection: &mut Connection) -> IoResult {
    connection.write_all(b"HTTP/1.1 200 OK\r\nx: ").await?;
    connection.write_all(&vec![b'a'; 4 << 20]).await?;
    raw(connection, "\r\ncontent-length: 2\r\n\r\n{}").await
}

async fn trailers(connection: &mut Connection) -> IoResult {
    connection.write_all(HEAD_CHUNKED.as_bytes()).await?;
    connection.write_all(b"2\r\n{}\r\n0\r\n").await?;
    repeat(connection, "x: y\r\n").await
}

async fn with_length(connection: &mut Connection, request: &Request, difference: isize) -> IoResult {
    let body = conforming(&request.route).to_string();
    let length = body.len().saturating_add_signed(difference);
    raw(connection, &format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}")).await
}

async fn reset(connection: &mut Connection) -> IoResult {
    connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n").await?;
    connection.flush().await?;
    let socket = connection.get_ref().get_ref().0;
    // With a linger time of zero the kernel closes the connection with a reset.
    tokio::net::TcpStream::set_zero_linger(socket)
}

async fn redirect(connection: &mut Connection, to: String) -> IoResult {
    raw(connection, &format!("HTTP/1.1 307 Over there\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")).await
}

async fn gigabyte(connection: &mut Connection) -> IoResult {
    connection.write_all(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1073741824\r\n\r\n{\"data\":[",
    )
    .await?;
    let piece = b"{\"a\":[1,2,3]},".repeat(4096);
    for _ in 0..(1 << 30) / piece.len() {
        connection.write_all(&piece).await?;
    }
    connection.shutdown().await
}

async fn echo(connection: &mut Connection, request: &Request) -> IoResult {
    refuse(connection, &format!("unexpected request: {}", request.text)).await
}

/// Sends the conforming response with more members before its own.
async fn with_members(connection: &mut Connection, request: &Request, members: &str) -> IoResult {
    let conforming = conforming(&request.route).to_string();
    let text = format!("{{{members}{}", conforming.strip_prefix('{').unwrap_or_default());
    respond(connection, &text).await
}

/// Sends the conforming response with each member twice. The first value is wrong, and a JSON reader takes the last one.
async fn duplicate_members(connection: &mut Connection, request: &Request) -> IoResult {
    let conforming = conforming(&request.route);
    let members = conforming.as_object().into_iter().flat_map(serde_json::Map::keys);
    let duplicates: Vec<String> = members.map(|name| format!("{}:false,", json!(name))).collect();
    with_members(connection, request, &duplicates.concat()).await
}

async fn nested_member(connection: &mut Connection, request: &Request) -> IoResult {
    let brackets = format!("\"x\":{}{},", "[".repeat(100_000), "]".repeat(100_000));
    with_members(connection, request, &brackets).await
}

async fn html(connection: &mut Connection) -> IoResult {
    raw(
        connection,
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 27\r\n\r\n<html><body>hi</body></html",
    )
    .await
}

async fn decompression_bomb(connection: &mut Connection) -> IoResult {
    // The suite requests no compression and decompresses nothing, so the content does not matter.
    let packed = [b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03".as_slice(), &[0xed; 4096]].concat();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        packed.len()
    );
    connection.write_all(head.as_bytes()).await?;
    connection.write_all(&packed).await?;
    connection.shutdown().await
}

async fn other_route(connection: &mut Connection, request: &Request) -> IoResult {
    let other = if request.route == "heartbeat" { "migrations" } else { "heartbeat" };
    respond(connection, &conforming(other).to_string()).await
}

async fn two_responses(connection: &mut Connection, request: &Request) -> IoResult {
    let body = conforming(&request.route).to_string();
    let one = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(one.as_bytes()).await?;
    refuse(connection, "a second response").await
}

/// A platform may change its keys at any time: here before each 64 bytes.
async fn with_key_updates(connection: &mut Connection, request: &Request) -> IoResult {
    let body = conforming(&request.route).to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    for part in [head, body].concat().as_bytes().chunks(64) {
        connection.get_mut().get_mut().1.refresh_traffic_keys().map_err(std::io::Error::other)?;
        connection.write_all(part).await?;
        connection.flush().await?;
    }
    Ok(())
}

async fn with_escapes(connection: &mut Connection, request: &Request) -> IoResult {
    let mut value = conforming(&request.route);
    append_escapes(&mut value);
    respond(connection, &value.to_string()).await
}

fn append_escapes(value: &mut Value) {
    match value {
        Value::String(text) => text.push_str("\u{1b}[31m\u{7}\u{9b}2J\u{202e}]]><script>\u{0}"),
        Value::Array(items) => items.iter_mut().for_each(append_escapes),
        Value::Object(members) => members.values_mut().for_each(append_escapes),
        _ => {}
    }
}

async fn other_hosts(connection: &mut Connection, request: &Request) -> IoResult {
    let mut value = conforming(&request.route);
    let other = format!("https://{}", request.decoy);
    for member in ["our_endpoints", "endpoints"] {
        value["data"][member] = serde_json::json!([{"url": other, "scope": "wan", "priority": 0}]);
    }
    for member in ["base_url", "remote_instance_url", "backend_host", "notice_url"] {
        value["data"][member] = Value::from(other.clone());
    }
    respond(connection, &value.to_string()).await
}
