//! Hostile HTTP/2 frames, and hostile bytes in place of TLS.

use futures_util::future::{BoxFuture, FutureExt, pending};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::server::{Behaviour, Connection, Layer};

type IoResult = std::io::Result<()>;

const fn frames(
    name: &'static str,
    send: for<'a> fn(&'a mut Connection) -> BoxFuture<'a, IoResult>,
) -> Behaviour {
    Behaviour { name, is_invalid: true, layer: Layer::Frames(send) }
}

const fn socket(
    name: &'static str,
    send: for<'a> fn(&'a mut TcpStream) -> BoxFuture<'a, IoResult>,
) -> Behaviour {
    Behaviour { name, is_invalid: true, layer: Layer::Socket(send) }
}

pub(crate) const FRAMES: &[Behaviour] = &[
    frames("HTTP/2: settings without end", |connection| {
        flood(connection, frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100])).boxed()
    }),
    frames("HTTP/2: pings without end", |connection| flood(connection, frame(PING, 0, 0, &[7; 8])).boxed()),
    frames("HTTP/2: a window of zero", |connection| {
        send_and_wait(connection, vec![frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0])]).boxed()
    }),
    frames("HTTP/2: goaway in mid-stream", |connection| {
        send_and_wait(
            connection,
            vec![
                frame(SETTINGS, 0, 0, &[]),
                frame(HEADERS, 4, 1, &[0x88]),
                frame(GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 2]),
            ],
        )
        .boxed()
    }),
    frames("HTTP/2: every stream reset", |connection| {
        let reset = |stream| frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]);
        send_and_wait(connection, vec![frame(SETTINGS, 0, 0, &[]), reset(1), reset(3), reset(5)]).boxed()
    }),
    frames("HTTP/2: headers without end", |connection| continuation(connection).boxed()),
    frames("HTTP/2: data without headers", |connection| {
        send_and_wait(connection, vec![frame(SETTINGS, 0, 0, &[]), frame(DATA, 1, 1, b"{}")]).boxed()
    }),
    frames("HTTP/2: body without end", |connection| endless_data(connection).boxed()),
    frames("HTTP/2: a frame that is longer than allowed", |connection| {
        send_and_wait(connection, vec![vec![0xff, 0xff, 0xff, DATA, 0, 0, 0, 0, 1]]).boxed()
    }),
    frames("HTTP/2: bytes that are not frames", |connection| {
        send_and_wait(connection, vec![vec![0x2a; 4096]]).boxed()
    }),
    frames("HTTP/2: rapid resets", |connection| {
        let pair = [frame(HEADERS, 4, 1, &[0x88]), frame(RST_STREAM, 0, 1, &[0, 0, 0, 8])].concat();
        flood_after_settings(connection, pair).boxed()
    }),
    frames("HTTP/2: a window that overflows", |connection| {
        let grow = |stream| frame(WINDOW_UPDATE, 0, stream, &[0x7f, 0xff, 0xff, 0xff]);
        send_and_wait(connection, vec![frame(SETTINGS, 0, 0, &[]), grow(0), grow(0), grow(1), grow(1)])
            .boxed()
    }),
    frames("HTTP/2: windows that grow by nothing", |connection| {
        flood_after_settings(connection, frame(WINDOW_UPDATE, 0, 0, &[0; 4])).boxed()
    }),
    frames("HTTP/2: window updates without end", |connection| {
        flood_after_settings(connection, frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1])).boxed()
    }),
    frames("HTTP/2: settings of five bytes", |connection| {
        send_and_wait(connection, vec![frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0])]).boxed()
    }),
    frames("HTTP/2: acknowledgements without end", |connection| {
        flood_after_settings(connection, frame(SETTINGS, 1, 0, &[])).boxed()
    }),
    frames("HTTP/2: answers to pings without end", |connection| {
        flood_after_settings(connection, frame(PING, 1, 0, &[7; 8])).boxed()
    }),
    frames("HTTP/2: a pushed response", |connection| {
        let promise = frame(PUSH_PROMISE, 4, 1, &[0, 0, 0, 2, 0x88]);
        send_and_wait(connection, vec![frame(SETTINGS, 0, 0, &[]), promise]).boxed()
    }),
    frames("HTTP/2: an index without end in a head", |connection| {
        send_and_wait(connection, vec![frame(SETTINGS, 0, 0, &[]), frame(HEADERS, 4, 1, &[0xff; 64])]).boxed()
    }),
    frames("HTTP/2: a header table of four gigabytes", |connection| {
        let head = [0x3f, 0xe1, 0xff, 0xff, 0xff, 0x0f, 0x88];
        send_and_wait(connection, vec![frame(SETTINGS, 0, 0, &[]), frame(HEADERS, 4, 1, &head)]).boxed()
    }),
    frames("HTTP/2: a head that repeats one long header", |connection| {
        // One literal of 4000 bytes, which enters the table, and then its index in one byte each time.
        let literal = [[0x40, 0x01, b'x', 0x7f, 0xa1, 0x1e].as_slice(), [b'y'; 4000].as_slice()].concat();
        let head = [[0x88].as_slice(), &literal, &[0xbe; 8000]].concat();
        send_and_wait(connection, vec![frame(SETTINGS, 0, 0, &[]), frame(HEADERS, 4, 1, &head)]).boxed()
    }),
    frames("HTTP/2: a head on a stream of the server", |connection| {
        send_and_wait(connection, vec![frame(SETTINGS, 0, 0, &[]), frame(HEADERS, 4, 2, &[0x88])]).boxed()
    }),
    frames("HTTP/2: trailers without end", |connection| {
        let trailers = frame(HEADERS, 4, 1, &[0x00, 0x01, b'x', 0x01, b'y']);
        flood_after_head(connection, trailers).boxed()
    }),
    frames("HTTP/2: empty data without end", |connection| {
        flood_after_head(connection, frame(DATA, 0, 1, &[])).boxed()
    }),
    frames("HTTP/2: frames of an unknown kind without end", |connection| {
        flood_after_head(connection, frame(0x77, 0, 1, &[1; 100])).boxed()
    }),
    frames("HTTP/2: more padding than data", |connection| {
        let padded = frame(DATA, 8, 1, &[200, b'{', b'}']);
        send_and_wait(connection, vec![frame(SETTINGS, 0, 0, &[]), frame(HEADERS, 4, 1, &[0x88]), padded])
            .boxed()
    }),
    frames("HTTP/2: a stream that depends on itself", |connection| {
        flood_after_settings(connection, frame(PRIORITY, 0, 1, &[0, 0, 0, 1, 16])).boxed()
    }),
    frames("HTTP/2: a head without a status", |connection| {
        let head = frame(HEADERS, 5, 1, &[0x00, 0x01, b'x', 0x01, b'y']);
        send_and_wait(connection, vec![frame(SETTINGS, 0, 0, &[]), head]).boxed()
    }),
    socket("empty TLS records without end", |socket| flood_socket(socket, &[0x16, 3, 3, 0, 0]).boxed()),
    socket("TLS warnings without end", |socket| flood_socket(socket, &[0x15, 3, 3, 0, 2, 1, 0x5a]).boxed()),
    socket("a TLS alert: no such version", |socket| {
        send_after_hello(socket, &[0x15, 3, 3, 0, 2, 2, 0x46]).boxed()
    }),
    socket("a TLS alert: no common protocol", |socket| {
        send_after_hello(socket, &[0x15, 3, 3, 0, 2, 2, 0x78]).boxed()
    }),
    socket("a TLS alert: close", |socket| send_after_hello(socket, &[0x15, 3, 3, 0, 2, 1, 0]).boxed()),
    socket("a TLS hello that is cut", |socket| {
        send_after_hello(socket, &[0x16, 3, 3, 0, 40, 2, 0, 0, 36, 3, 3, 1, 2, 3]).boxed()
    }),
    socket("HTTP/2 without TLS", |socket| {
        send_after_hello(socket, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").boxed()
    }),
    socket("closes its half at once", |socket| {
        async move {
            socket.shutdown().await?;
            pending().await
        }
        .boxed()
    }),
    socket("no TLS", |socket| {
        send_after_hello(socket, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").boxed()
    }),
    socket("never completes the TLS handshake", |_| pending().boxed()),
    socket("a TLS alert at once", |socket| send_after_hello(socket, &[0x15, 3, 3, 0, 2, 2, 0x28]).boxed()),
    socket("bytes that are not TLS", |socket| {
        send_after_hello(socket, &[0x16, 3, 3, 0x40, 0, 2, 0xff, 0xff, 0xff, 1, 2, 3]).boxed()
    }),
    socket("TLS records without end", |socket| records(socket).boxed()),
    socket("a reset at once", |socket| async { TcpStream::set_zero_linger(socket) }.boxed()),
    frames("a TLS alert in mid-body", |connection| alert_in_body(connection).boxed()),
    frames("TLS key updates without end", |connection| key_updates(connection).boxed()),
];

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

async fn flood(connection: &mut Connection, frame: Vec<u8>) -> IoResult {
    let frames = frame.repeat(200);
    loop {
        connection.write_all(&frames).await?;
    }
}

async fn flood_after_settings(connection: &mut Connection, frames: Vec<u8>) -> IoResult {
    connection.write_all(&frame(SETTINGS, 0, 0, &[])).await?;
    flood(connection, frames).await
}

async fn flood_after_head(connection: &mut Connection, frames: Vec<u8>) -> IoResult {
    connection.write_all(&[frame(SETTINGS, 0, 0, &[]), frame(HEADERS, 4, 1, &[0x88])].concat()).await?;
    flood(connection, frames).await
}

async fn flood_socket(socket: &mut TcpStream, record: &[u8]) -> IoResult {
    let records = record.repeat(200);
    loop {
        socket.write_all(&records).await?;
    }
}

async fn send_and_wait(connection: &mut Connection, frames: Vec<Vec<u8>>) -> IoResult {
    connection.write_all(&frames.concat()).await?;
    connection.flush().await?;
    drain(connection).await
}

/// Reads until the other end closes the connection.
async fn drain(connection: &mut Connection) -> IoResult {
    let mut sink = [0; 4096];
    while connection.read(&mut sink).await? > 0 {}
    Ok(())
}

async fn continuation(connection: &mut Connection) -> IoResult {
    connection.write_all(&[frame(SETTINGS, 0, 0, &[]), frame(HEADERS, 0, 1, &[0x88])].concat()).await?;
    // A literal header, without the flag END_HEADERS.
    let header = frame(
        CONTINUATION,
        0,
        1,
        &[[0x00, 0x01, b'x', 0x7f, 0x81, 0x01].as_slice(), [b'y'; 256].as_slice()].concat(),
    );
    flood(connection, header).await
}

async fn endless_data(connection: &mut Connection) -> IoResult {
    flood_after_head(connection, frame(DATA, 0, 1, &[b' '; 1024])).await
}

async fn send_after_hello(socket: &mut TcpStream, text: &[u8]) -> IoResult {
    let mut hello = [0; 16];
    let _ = socket.read(&mut hello).await?;
    socket.write_all(text).await?;
    socket.shutdown().await
}

async fn records(socket: &mut TcpStream) -> IoResult {
    let record = [[0x16, 3, 3, 0x10, 0].as_slice(), [0x0b; 0x1000].as_slice()].concat();
    loop {
        socket.write_all(&record).await?;
    }
}

/// Asks for new keys again and again, and never answers.
async fn key_updates(connection: &mut Connection) -> IoResult {
    connection.write_all(&frame(SETTINGS, 0, 0, &[])).await?;
    loop {
        connection.get_mut().get_mut().1.refresh_traffic_keys().map_err(std::io::Error::other)?;
        connection.flush().await?;
    }
}

/// Sends the start of a response, and then a TLS alert.
async fn alert_in_body(connection: &mut Connection) -> IoResult {
    connection
        .write_all(
            &[frame(SETTINGS, 0, 0, &[]), frame(HEADERS, 4, 1, &[0x88]), frame(DATA, 0, 1, b"{\"data\":")]
                .concat(),
        )
        .await?;
    connection.flush().await?;
    let socket = connection.get_mut().get_mut().0;
    socket.write_all(&[0x15, 3, 3, 0, 2, 2, 0x50]).await?;
    socket.shutdown().await
}
