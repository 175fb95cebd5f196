//! Hostile responses that are a text, and bodies that are nearly JSON.

use futures_util::future::FutureExt;
use tokio::io::AsyncWriteExt;

use super::responses::{HEAD_CHUNKED, body, bytes, invalid, raw, repeat, send_forever, text};
use super::server::{Behaviour, conforming};

pub(crate) const TEXTS: &[Behaviour] = &[
    text(
        "a transfer coding beside a length",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n{}",
    ),
    text("a length with a sign", "HTTP/1.1 200 OK\r\ncontent-length: +2\r\n\r\n{}"),
    text("a length of 2^64", "HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551616\r\n\r\n{}"),
    text("a list of lengths", "HTTP/1.1 200 OK\r\ncontent-length: 2, 40\r\n\r\n{}"),
    text("closes in a chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10\r\n{\"data\":"),
    text(
        "a chunk that is longer than its size",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{\"data\":{}}\r\n0\r\n\r\n",
    ),
    text("a body without a head", "{\"success\":true,\"data\":{}}"),
    text("a version of HTTP that does not exist", "HTTP/9.9 200 OK\r\ncontent-length: 2\r\n\r\n{}"),
    text("a NUL in the status line", "HTTP/1.1 200 O\u{0}K\r\ncontent-length: 2\r\n\r\n{}"),
    text("a blank in the name of a header", "HTTP/1.1 200 OK\r\nbad name: x\r\ncontent-length: 2\r\n\r\n{}"),
    text("a header without a name", "HTTP/1.1 200 OK\r\n: x\r\ncontent-length: 2\r\n\r\n{}"),
    text("a NUL in a header", "HTTP/1.1 200 OK\r\nx: a\u{0}b\r\ncontent-length: 2\r\n\r\n{}"),
    text("a bare carriage return in a header", "HTTP/1.1 200 OK\r\nx: a\rb\r\ncontent-length: 2\r\n\r\n{}"),
    text("only informational responses", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"),
    text("not modified", "HTTP/1.1 304 Not Modified\r\n\r\n"),
    invalid("a header of one megabyte", |connection, _| {
        async move {
            connection.write_all(b"HTTP/1.1 200 OK\r\nx: ").await?;
            connection.write_all(&vec![b'a'; 1 << 20]).await?;
            raw(connection, "\r\ncontent-length: 2\r\n\r\n{}").await
        }
        .boxed()
    }),
    invalid("continue without end", |connection, _| {
        repeat(connection, "HTTP/1.1 100 Continue\r\n\r\n").boxed()
    }),
    invalid("a chunk extension without end", |connection, _| {
        async move {
            connection.write_all(HEAD_CHUNKED.as_bytes()).await?;
            send_forever(connection, "2;x=", b"", 0x1000).await
        }
        .boxed()
    }),
    invalid("chunks of one byte without end", |connection, _| {
        async move {
            connection.write_all(HEAD_CHUNKED.as_bytes()).await?;
            repeat(connection, &"1\r\n \r\n".repeat(1000)).await
        }
        .boxed()
    }),
    invalid("JSON that takes a hundred times its size", |connection, _| {
        body(connection, format!("{{\"data\":[{}0]}}", "{\"\":0},".repeat(1_000_000))).boxed()
    }),
    invalid("JSON of 100,000 objects in each other", |connection, _| {
        body(connection, "{\"a\":".repeat(100_000)).boxed()
    }),
    invalid("a byte order mark before the JSON", |connection, request| {
        body(connection, format!("\u{feff}{}", conforming(&request.route))).boxed()
    }),
    invalid("bytes after the JSON", |connection, request| {
        body(connection, format!("{}x", conforming(&request.route))).boxed()
    }),
    invalid("two JSON texts", |connection, request| {
        body(connection, conforming(&request.route).to_string().repeat(2)).boxed()
    }),
    invalid("a number that is none", |connection, _| body(connection, "{\"data\":NaN}".to_owned()).boxed()),
    invalid("JSON in UTF-16", |connection, request| {
        async move {
            let text = conforming(&request.route).to_string();
            let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            bytes(connection, &units).await
        }
        .boxed()
    }),
];
