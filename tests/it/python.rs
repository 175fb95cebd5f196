//! The programs that the Python platform needs.

use std::process::Command;

/// Returns a program that the platform needs and that is not on the PATH.
pub(crate) fn missing_program() -> Option<&'static str> {
    let works = |program: &str, argument: &str| {
        let mut command = Command::new(program);
        command.arg(argument).output().is_ok_and(|output| output.status.success())
    };
    [("python3", "--version"), ("openssl", "version")]
        .into_iter()
        .find_map(|(program, argument)| (!works(program, argument)).then_some(program))
}
