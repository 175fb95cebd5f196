//! Under authorities that the user names, the certificate of a target has to be for the host that is called.

use crate::program::{Platform, code, covenant_in, output_of, path_text};

/// Audits the platform under a host of this machine.
fn audit(platform: &Platform, host: &str, trust: &[&str]) -> (i32, String) {
    let port = platform.url.rsplit(':').next().expect("a port").trim_end_matches('/');
    let url = format!("https://{host}:{port}");
    let (token, out) = (path_text(&platform.file("token")), path_text(&platform.file("out")));
    let fixed = [
        "audit",
        &url,
        "--quiet",
        "--rate",
        "6000",
        "--poll-timeout",
        "20",
        "--token-file",
        &token,
        "--out",
        &out,
    ];
    let audited = covenant_in(platform.folder.path(), &[&fixed, trust].concat());
    let printed = output_of(&audited);
    (code(&audited), printed.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn a_certificate_of_the_authority_for_another_host_gets_no_token() {
    // Its certificate is for localhost and 0.0.0.0.
    let platform = Platform::start("0.0.0.0:0", &[]);
    let ca = path_text(&platform.file("ca.pem"));
    let (exit, printed) = audit(&platform, "127.0.0.1", &["--ca", &ca]);
    assert_eq!(exit, 4, "{printed}");
    assert!(
        printed.contains("not valid for name") && printed.contains("by the host that its certificate is for"),
        "{printed}"
    );
    // The token was not spent.
    let (exit, printed) = audit(&platform, "localhost", &["--ca", &ca, "--force"]);
    assert_eq!(exit, 0, "{printed}");
    let (exit, printed) = audit(&Platform::start("0.0.0.0:0", &[]), "localhost", &["--system-roots"]);
    assert_eq!(exit, 4, "{printed}");
    assert!(printed.contains("certificate is not trusted"), "{printed}");
}

#[test]
fn a_platform_without_named_authorities_is_pinned_as_before() {
    let platform = Platform::start("0.0.0.0:0", &[]);
    let (exit, printed) = audit(&platform, "127.0.0.1", &[]);
    assert_eq!(exit, 0, "{printed}");
}

#[test]
fn the_diagnosis_checks_the_name_too() {
    let platform = Platform::start("0.0.0.0:0", &[]);
    let port = platform.url.rsplit(':').next().expect("a port").trim_end_matches('/').to_owned();
    let ca = path_text(&platform.file("ca.pem"));
    let examine = |host: &str| {
        covenant_in(platform.folder.path(), &["audit", &format!("https://{host}:{port}"), "--ca", &ca])
    };
    assert_eq!(code(&examine("127.0.0.1")), 4, "{}", output_of(&examine("127.0.0.1")));
    assert_eq!(code(&examine("localhost")), 0, "{}", output_of(&examine("localhost")));
}
