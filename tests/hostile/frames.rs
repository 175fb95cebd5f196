//! HTTP/2 misused, and TLS that is none.

use futures_util::future::{BoxFuture, FutureExt, pending};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::server::{Behaviour, How, Wire};

type Done = std::io::Result<()>;

const fn frames(name: &'static str, act: for<'a> fn(&'a mut Wire) -> BoxFuture<'a, Done>) -> Behaviour {
    Behaviour { name, spoils: true, how: How::Frames(act) }
}

const fn socket(name: &'static str, act: for<'a> fn(&'a mut TcpStream) -> BoxFuture<'a, Done>) -> Behaviour {
    Behaviour { name, spoils: true, how: How::Socket(act) }
}

pub(crate) const FRAMES: &[Behaviour] = &[
    frames("HTTP/2: settings without end", |wire| {
        flood(wire, frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100])).boxed()
    }),
    frames("HTTP/2: pings without end", |wire| flood(wire, frame(PING, 0, 0, &[7; 8])).boxed()),
    frames("HTTP/2: a window of zero", |wire| {
        send_and_wait(wire, vec![frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0])]).boxed()
    }),
    frames("HTTP/2: goaway in mid-stream", |wire| {
        send_and_wait(
            wire,
            vec![
                frame(SETTINGS, 0, 0, &[]),
                frame(HEADERS, 4, 1, &[0x88]),
                frame(GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 2]),
            ],
        )
        .boxed()
    }),
    frames("HTTP/2: every stream reset", |wire| {
        let reset = |stream| frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]);
        send_and_wait(wire, vec![frame(SETTINGS, 0, 0, &[]), reset(1), reset(3), reset(5)]).boxed()
    }),
    frames("HTTP/2: headers without end", |wire| continuation(wire).boxed()),
    frames("HTTP/2: data without headers", |wire| {
        send_and_wait(wire, vec![frame(SETTINGS, 0, 0, &[]), frame(DATA, 1, 1, b"{}")]).boxed()
    }),
    frames("HTTP/2: body without end", |wire| endless_data(wire).boxed()),
    frames("HTTP/2: a frame that is longer than allowed", |wire| {
        send_and_wait(wire, vec![vec![0xff, 0xff, 0xff, DATA, 0, 0, 0, 0, 1]]).boxed()
    }),
    frames("HTTP/2: rubbish", |wire| send_and_wait(wire, vec![vec![0x2a; 4096]]).boxed()),
    socket("no TLS", |socket| say(socket, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").boxed()),
    socket("never shakes operator", |_| pending().boxed()),
    socket("a TLS alert at once", |socket| say(socket, &[0x15, 3, 3, 0, 2, 2, 0x28]).boxed()),
    socket("rubbish in place of TLS", |socket| {
        say(socket, &[0x16, 3, 3, 0x40, 0, 2, 0xff, 0xff, 0xff, 1, 2, 3]).boxed()
    }),
    socket("TLS records without end", |socket| records(socket).boxed()),
    socket("a reset at once", |socket| async { TcpStream::set_zero_linger(socket) }.boxed()),
    frames("a TLS alert in mid-body", |wire| alert_in_body(wire).boxed()),
];

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

async fn flood(wire: &mut Wire, frame: Vec<u8>) -> Done {
    let many = frame.repeat(200);
    loop {
        wire.write_all(&many).await?;
    }
}

async fn send_and_wait(wire: &mut Wire, frames: Vec<Vec<u8>>) -> Done {
    wire.write_all(&frames.concat()).await?;
    wire.flush().await?;
    drain(wire).await
}

/// Reads what is sent, until no one sends any more.
async fn drain(wire: &mut Wire) -> Done {
    let mut sink = [0; 4096];
    while wire.read(&mut sink).await? > 0 {}
    Ok(())
}

async fn continuation(wire: &mut Wire) -> Done {
    wire.write_all(&[frame(SETTINGS, 0, 0, &[]), frame(HEADERS, 0, 1, &[0x88])].concat()).await?;
    // A literal header, never the end of headers.
    let more = frame(
        CONTINUATION,
        0,
        1,
        &[[0x00, 0x01, b'x', 0x7f, 0x81, 0x01].as_slice(), [b'y'; 256].as_slice()].concat(),
    );
    flood(wire, more).await
}

async fn endless_data(wire: &mut Wire) -> Done {
    wire.write_all(&[frame(SETTINGS, 0, 0, &[]), frame(HEADERS, 4, 1, &[0x88])].concat()).await?;
    flood(wire, frame(DATA, 0, 1, &[b' '; 1024])).await
}

async fn say(socket: &mut TcpStream, text: &[u8]) -> Done {
    let mut hello = [0; 16];
    let _ = socket.read(&mut hello).await?;
    socket.write_all(text).await?;
    socket.shutdown().await
}

async fn records(socket: &mut TcpStream) -> Done {
    let record = [[0x16, 3, 3, 0x10, 0].as_slice(), [0x0b; 0x1000].as_slice()].concat();
    loop {
        socket.write_all(&record).await?;
    }
}

/// The answer begins, and then the connection speaks of something else.
async fn alert_in_body(wire: &mut Wire) -> Done {
    wire.write_all(
        &[frame(SETTINGS, 0, 0, &[]), frame(HEADERS, 4, 1, &[0x88]), frame(DATA, 0, 1, b"{\"data\":")]
            .concat(),
    )
    .await?;
    wire.flush().await?;
    let socket = wire.get_mut().get_mut().0;
    socket.write_all(&[0x15, 3, 3, 0, 2, 2, 0x50]).await?;
    socket.shutdown().await
}
