//! What a simulation refuses before anything is called.

use crate::program::{LOOPBACK, code, covenant_in, output_of, path_text};

#[test]
fn a_file_of_the_user_is_not_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = folder.path().join("keep.json");
    std::fs::write(&kept, "precious").expect("written");
    let flood = ["flood", "https://127.0.0.1:1", "--rate", "1", "--for", "1s", "--histogram", "keep.json"];
    for arguments in [&["peer", "--listen", LOOPBACK, "--accept", "--control", "keep.json"][..], &flood] {
        let output = covenant_in(folder.path(), arguments);
        assert_ne!(code(&output), 0);
        assert!(
            output_of(&output).contains("keep.json: exists, and nothing is overwritten"),
            "{}",
            output_of(&output)
        );
        assert_eq!(std::fs::read_to_string(&kept).expect("a file"), "precious");
    }
    let count =
        ["peer", "--count", "2", "--join", "https://127.0.0.1:1", "a", "b", "--behaviour", "handshake-flood"];
    let output = covenant_in(folder.path(), &count);
    assert!(
        code(&output) == 2 && output_of(&output).contains("shows in other calls"),
        "{}",
        output_of(&output)
    );
}

#[test]
fn a_target_on_another_machine_is_misbehaved_at_only_if_its_name_is_typed() {
    let folder = tempfile::tempdir().expect("a folder");
    for (arguments, part) in [
        (&["--join", "https://platform.example", "token-of-tests"][..], "give --yes platform.example"),
        (
            &["--join", "https://platform.example", "token-of-tests", "--yes", "other.example"],
            "--yes names other.example",
        ),
        (&["--join", "https://127.0.0.1:1"], "a token of the platform's operator is needed"),
        (&[], "--accept TOKEN"),
        (&["--accept", "one", "--peer", "carol", "--peer", "bob"], "2 peers need a token each"),
        (&["--accept", "one", "--peer", "carol", "--peer", "carol"], "the name is given twice"),
        (&["--accept", "one", "--behaviour", "bogus-kinds"], "did you mean bogus-kind?"),
        (&["--accept", "one", "--ca", "ca.pem"], "--ca is of no use here"),
    ] {
        let refused = covenant_in(folder.path(), &[&["peer", "--listen", LOOPBACK], arguments].concat());
        assert_eq!(code(&refused), 2, "{arguments:?}: {}", output_of(&refused));
        assert!(output_of(&refused).contains(part), "{arguments:?}: {}", output_of(&refused));
    }
    let control = covenant_in(folder.path(), &["peer", "control", "none.json", "status"]);
    assert_eq!(code(&control), 2, "{}", path_text(folder.path()));
}
