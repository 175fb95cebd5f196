//! The templates for pipelines: their shell steps run here as they stand.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use crate::program::{COVENANT, DEFECT, SHORT, code, output_of};

const ACTION: &str = include_str!("../../action.yml");
const GITLAB: &str = include_str!("../../ci/templates/gitlab.yml");
const MAKEFILE: &str = include_str!("../../ci/templates/Makefile");

/// Returns the shell text of a step, by its first line. It ends where the indentation does.
fn step(template: &str, name: &str) -> String {
    let mark = format!("# covenant:{name}");
    let mut lines = template.lines().skip_while(|line| line.trim() != mark);
    let first = lines.next().unwrap_or_else(|| panic!("no step {name}"));
    let indent = first.len() - first.trim_start().len();
    let inside = |line: &&str| line.trim().is_empty() || line.len() - line.trim_start().len() >= indent;
    lines.take_while(inside).map(|line| line.get(indent..).unwrap_or_default().to_owned() + "\n").collect()
}

/// Returns a folder in which the program is where a template builds it.
fn built(below: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join(below).join("target/release");
    fs::create_dir_all(&target).expect("created");
    symlink(COVENANT, target.join("covenant")).expect("linked");
    folder
}

fn shell(program: &str, folder: &Path, text: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(program);
    command.args(["-e", "-c", text]).current_dir(folder).envs(variables.iter().copied());
    command.output().expect("a shell")
}

fn arguments(more: &str) -> String {
    format!("--quiet --only '{SHORT}' --attest '4.4=by phone' {more}")
}

fn read(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[test]
fn the_action_annotates_and_passes_the_exit_code_on() {
    let folder = built("");
    let path = folder.path().to_str().expect("a path");
    let text = step(ACTION, "run");
    for (more, expected) in [(String::new(), 0), (format!("--defect {DEFECT}"), 1)] {
        let variables = [
            ("CHECKOUT", path),
            ("ARGUMENTS", &arguments(&more)),
            ("SEED", "7"),
            ("KNOWN", ""),
            ("DEADLINE", "5m"),
            ("OUT", "out"),
            ("GITHUB_OUTPUT", "output"),
            ("GITHUB_STEP_SUMMARY", "summary"),
        ];
        let output = shell("bash", folder.path(), &text, &variables);
        assert_eq!(code(&output), expected, "{}", output_of(&output));
        assert_eq!(read(folder.path(), "output"), format!("exit-code={expected}\n"));
        assert!(read(folder.path(), "summary").starts_with("## covenant: "));
        let is_error = String::from_utf8_lossy(&output.stdout).starts_with("::error title=covenant");
        assert_eq!(is_error, expected == 1, "{}", output_of(&output));
        fs::remove_file(folder.path().join("output")).expect("removed");
        fs::remove_file(folder.path().join("summary")).expect("removed");
    }
    fs::write(folder.path().join("known.toml"), known()).expect("written");
    let given = arguments(&format!("--defect {DEFECT}"));
    let variables = [
        ("CHECKOUT", path),
        ("ARGUMENTS", given.as_str()),
        ("SEED", "7"),
        ("KNOWN", "known.toml"),
        ("DEADLINE", "5m"),
        ("OUT", "out"),
        ("GITHUB_OUTPUT", "output"),
        ("GITHUB_STEP_SUMMARY", "summary"),
    ];
    let output = shell("bash", folder.path(), &text, &variables);
    assert_eq!(code(&output), 0, "{}", output_of(&output));
    // The same, with a share that is not proved.
    let more = [&variables[..], &[("MIN_PROVED", "40%"), ("RETRIES", "1")]].concat();
    let output = shell("bash", folder.path(), &text, &more);
    assert_eq!(code(&output), 3, "{}", output_of(&output));
    assert!(read(folder.path(), "out/report.json").contains("\"retries\": 1"), "{}", output_of(&output));
}

fn known() -> String {
    format!("[[breach]]\ncheck = \"{SHORT}#1\"\nclause = \"3.1\"\nreason = \"we fix it\"\n")
}

#[test]
fn the_job_of_gitlab_writes_its_artifacts() {
    let folder = built("covenant-suite");
    let variables =
        |arguments| [("COVENANT_ARGUMENTS", arguments), ("COVENANT_SEED", "7"), ("COVENANT_DEADLINE", "5m")];
    let (given, whole) = (arguments(&format!("--defect {DEFECT}")), arguments(""));
    let output = shell("sh", folder.path(), &step(GITLAB, "run"), &variables(&given));
    assert_eq!(code(&output), 1, "{}", output_of(&output));
    assert!(read(folder.path(), "covenant.xml").contains("type=\"broken\""));
    assert!(read(folder.path(), "covenant-out/report.txt").starts_with("BROKEN"));
    let output = shell("sh", folder.path(), &step(GITLAB, "run"), &variables(&whole));
    assert_eq!(code(&output), 0, "{}", output_of(&output));
    fs::write(folder.path().join("known.toml"), known()).expect("written");
    let optional =
        [("COVENANT_KNOWN", "known.toml"), ("COVENANT_MIN_PROVED", "1%"), ("COVENANT_RETRIES", "1")];
    for (name, _) in optional {
        assert!(GITLAB.contains(&format!("    {name}: \"\"\n")), "{name}");
    }
    let with_options = [&variables(&given)[..], &optional].concat();
    let output = shell("sh", folder.path(), &step(GITLAB, "run"), &with_options);
    assert!(read(folder.path(), "covenant-out/report.json").contains("\"retries\": 1"));
    assert_eq!(code(&output), 3, "nothing is proved: {}", output_of(&output));
}

/// The commands that build are not run here, since they build everything: their options are those of `cargo`.
#[test]
fn the_templates_build_from_their_own_checkout() {
    for (template, checkout) in [(ACTION, "\"$CHECKOUT/Cargo.toml\""), (GITLAB, "covenant-suite/Cargo.toml")]
    {
        let text = step(template, "build");
        let built = format!("cargo build --locked --release --manifest-path {checkout}");
        assert!(text.contains(&built), "{text}");
        let checked = shell("bash", Path::new("."), &format!("set -n\n{text}"), &[]);
        assert_eq!(code(&checked), 0, "{}", output_of(&checked));
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test reports it")]
fn the_targets_of_the_makefile_run() {
    if Command::new("make").arg("--version").output().is_err() {
        eprintln!("skipped: the program make is missing");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("Makefile"), MAKEFILE).expect("written");
    let make = |target: &str, more: &str| {
        let given = arguments(more);
        let variables =
            [("COVENANT", COVENANT), ("COVENANT_ARGUMENTS", given.as_str()), ("COVENANT_SEED", "7")];
        let mut command = Command::new("make");
        command.arg(target).current_dir(folder.path()).envs(variables);
        command.output().expect("make")
    };
    let breaks = format!("--defect {DEFECT}");
    assert_eq!(code(&make("covenant", "")), 0);
    assert_eq!(code(&make("covenant-accept", "")), 0);
    let same = make("covenant", "");
    assert!(output_of(&same).contains("SAME: each check"), "{}", output_of(&same));
    assert_ne!(code(&make("covenant", &breaks)), 0);
    assert_eq!(code(&make("covenant-known", "")), 0);
    let known = make("covenant", &breaks);
    assert!(output_of(&known).contains("known: 1 of 1 broken checks"), "{}", output_of(&known));
    assert_ne!(code(&known), 0, "it is worse than what was accepted: {}", output_of(&known));
    let few = make("COVENANT_MIN_PROVED=40%", "");
    assert!(
        !few.status.success() && output_of(&few).contains("--min-proved 40%: 1 of "),
        "{}",
        output_of(&few)
    );
}
