//! The keys of a terminal that change a running simulation.

use crate::simulate::Simulation;

#[cfg(unix)]
pub(super) use self::unix::serve;

/// Without a terminal in the manner of Unix there are no keys.
#[cfg(not(unix))]
pub(super) async fn serve(_: &Simulation) {
    std::future::pending().await
}

#[cfg(unix)]
mod unix {
    use std::io::{IsTerminal, Read, Write};
    use std::time::Duration;

    use futures_util::FutureExt;
    use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
    use nix::unistd::{getpgrp, tcgetpgrp};
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
    use tokio::task::JoinSet;
    use tokio::time::timeout;

    use super::Simulation;
    use crate::cli::message;
    use crate::peer::{Behaviour, FAMILIES};

    const KEYS: &str = "\
keys: 1…9, a, b switch a family   c conform   h heartbeat now   r revoke   s status   ? these keys   q end
      : begins a command, as of `covenant peer control`, and Enter ends it
";
    /// The keys of the families, in their order.
    const FAMILY_KEYS: &str = "123456789ab";

    /// Reads keys until one ends the simulation. Without a terminal it waits for ever.
    pub(in crate::cli::peer) async fn serve(simulation: &Simulation) {
        let Some((_terminal, mut keys)) = open() else { return std::future::pending().await };
        message(KEYS);
        for (key, family) in FAMILY_KEYS.chars().zip(FAMILIES) {
            message(&format!("      {key} {}\n", family.name));
        }
        // A call that takes long holds back no key. The calls end with the simulation.
        let mut calls = JoinSet::new();
        while let Some(key) = keys.recv().await {
            while calls.try_join_next().is_some() {}
            let command = match key {
                b'q' => return,
                ESCAPE => {
                    end_of_sequence(&mut keys).await;
                    continue;
                }
                b'?' => {
                    message(KEYS);
                    continue;
                }
                b'c' => "conform".to_owned(),
                b'h' => "beat".to_owned(),
                b'r' => "revoke".to_owned(),
                b's' => "status".to_owned(),
                b':' => line(&mut keys).await,
                other => match family_of(other) {
                    Some(name) => toggled(simulation, name),
                    None => continue,
                },
            };
            let mut doing = Box::pin(done(simulation.clone(), command));
            // What makes no call is done before the next key is read, so that the keys keep their order.
            if doing.as_mut().now_or_never().is_none() {
                calls.spawn(doing);
            }
        }
        // The terminal is gone; the simulation goes on.
        std::future::pending::<()>().await;
    }

    /// Does what a command says, and shows what came of it.
    async fn done(simulation: Simulation, command: String) {
        match simulation.command(&command).await {
            Ok(text) => message(&text),
            Err(error) => message(&format!("{}\n", error.to_string().trim_end())),
        }
    }

    /// The first byte of a key that is no character.
    const ESCAPE: u8 = 0x1b;
    /// The time in which the rest of such a key arrives. The key of the character itself has no rest.
    const SEQUENCE_WITHIN: Duration = Duration::from_millis(50);

    /// Reads the rest of a key such as F5, which holds characters that are commands by themselves.
    async fn end_of_sequence(keys: &mut UnboundedReceiver<u8>) {
        let mut next = async || timeout(SEQUENCE_WITHIN, keys.recv()).await.ok().flatten();
        if next().await.is_some_and(|first| first == b'[' || first == b'O') {
            // The function keys of a Linux console are `[[A` and so on.
            while next().await.is_some_and(|byte| byte == b'[' || !(0x40..=0x7e).contains(&byte)) {}
        }
    }

    fn family_of(key: u8) -> Option<&'static str> {
        let place = FAMILY_KEYS.find(char::from(key))?;
        FAMILIES.get(place).map(|family| family.name)
    }

    /// Returns the command that switches a family off if some peer shows it, now or once it is federated, else on.
    fn toggled(simulation: &Simulation, name: &str) -> String {
        let shown = simulation.shown();
        let is_of = |one: &&&'static Behaviour| {
            FAMILIES.iter().any(|family| family.name == name && family.names().any(|own| own == one.name))
        };
        let command = if shown.iter().any(|one| is_of(&one)) { "off" } else { "on" };
        format!("{command} {name}")
    }

    /// Reads a line, and shows it as it is typed.
    async fn line(keys: &mut UnboundedReceiver<u8>) -> String {
        let mut typed = Vec::new();
        message(": ");
        while let Some(key) = keys.recv().await {
            match key {
                b'\n' | b'\r' => break,
                ESCAPE => end_of_sequence(keys).await,
                0x7f | 0x08 => {
                    if typed.pop().is_some() {
                        // A message shows such characters as text.
                        let _ = std::io::stderr().write_all(b"\x08 \x08");
                    }
                }
                // Another key that is no character, such as Ctrl-U.
                0x00..0x20 => {}
                key => {
                    typed.push(key);
                    // A token may be typed here.
                    let written = typed.trim_ascii_start();
                    message(if written.starts_with(b"join") && written.len() > 5 {
                        "*"
                    } else {
                        char_text(key)
                    });
                }
            }
        }
        message("\n");
        String::from_utf8_lossy(&typed).into_owned()
    }

    /// Returns a character that may be shown, as text.
    fn char_text(key: u8) -> &'static str {
        const ASCII: &str = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";
        let place = usize::from(key).checked_sub(usize::from(b' '));
        place.and_then(|place| ASCII.get(place..=place)).unwrap_or("?")
    }

    /// A terminal that gives each key at once. Dropping it restores how it was.
    struct Keyboard(Termios);

    impl Drop for Keyboard {
        fn drop(&mut self) {
            let _ = tcsetattr(std::io::stdin(), SetArg::TCSANOW, &self.0);
        }
    }

    fn open() -> Option<(Keyboard, UnboundedReceiver<u8>)> {
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return None;
        }
        // In the background the system would stop the program for a change of the terminal.
        if tcgetpgrp(std::io::stdin()).is_ok_and(|foreground| foreground != getpgrp()) {
            return None;
        }
        let before = tcgetattr(std::io::stdin()).ok()?;
        let mut settings = before.clone();
        // Ctrl-C stays a signal.
        settings.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO);
        tcsetattr(std::io::stdin(), SetArg::TCSANOW, &settings).ok()?;
        let (sender, keys) = unbounded_channel();
        // It ends with the process: nothing can interrupt the read.
        std::thread::spawn(move || {
            let mut key = [0];
            while std::io::stdin().read(&mut key).is_ok_and(|count| count == 1) {
                if sender.send(key[0]).is_err() {
                    return;
                }
            }
        });
        Some((Keyboard(before), keys))
    }
}
