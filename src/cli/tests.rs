use clap::{CommandFactory, Parser};

use super::Arguments;

#[test]
fn the_command_line_is_consistent() {
    Arguments::command().debug_assert();
}

/// Every `covenant` command that the documents show is one that the program takes.
#[test]
fn commands_in_the_documents_parse() {
    const DOCUMENTS: [(&str, &str); 3] = [
        ("README.md", include_str!("../../README.md")),
        ("CONTRIBUTING.md", include_str!("../../CONTRIBUTING.md")),
        ("docs/plug-your-platform-in.md", include_str!("../../docs/plug-your-platform-in.md")),
    ];
    let mut commands = 0;
    for (document, text) in DOCUMENTS {
        for line in code_lines(text).filter(|line| line.starts_with("covenant ")) {
            let before_pipe = line.split([';', '>', '&']).next().unwrap_or(line);
            let words = shlex::split(before_pipe).expect("quoted well");
            let parsed = Arguments::try_parse_from(&words);
            assert!(parsed.is_ok(), "{document}: `{line}`: {}", parsed.expect_err("refused"));
            commands += 1;
        }
    }
    assert!(commands >= 12, "{commands} commands were found");
}

/// The lines of the fenced blocks of a document.
fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    text.split("```").skip(1).step_by(2).flat_map(str::lines)
}
