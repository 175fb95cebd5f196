use super::*;
use std::collections::BTreeSet;

fn rows() -> impl Iterator<Item = &'static MethodDef> {
    METHODS.iter().flat_map(|group| group.iter())
}

#[test]
fn every_method_is_listed_once_and_parses_back() {
    for method in Method::all() {
        assert_eq!(Method::parse(method.name()), Some(method));
        assert_eq!(method.definition().method, method, "{method}");
        assert_eq!(Method::all().filter(|other| other.name() == method.name()).count(), 1);
    }
    assert_eq!(Method::parse("peer.conjure"), None);
    assert_eq!(Method::parse(NONEXISTENT_METHOD), None);
}

#[test]
fn every_example_has_the_form_of_its_method() {
    for row in rows() {
        assert_eq!(row.check_parameters(row.example.parameters()), Ok(()), "{}", row.name);
        assert_eq!(row.check_result(row.example.result()), Ok(()), "{}", row.name);
        let parameters = row.example.parameters();
        for member in row.parameters().required() {
            assert!(parameters.get(&member.name).is_some(), "{}: {}", row.name, member.name);
        }
    }
}

#[test]
fn every_method_and_member_is_described() {
    for row in rows() {
        assert!(row.summary().ends_with('.'), "{}: {}", row.name, row.summary());
        assert!(row.since <= PROTOCOL, "{}", row.name);
        for member in row.parameters().members.iter().chain(&row.result().members) {
            assert!(member.about.ends_with('.'), "{}: {}", row.name, member.name);
        }
    }
}

#[test]
fn a_misspelt_parameter_is_an_error_and_an_unknown_result_is_kept() {
    let row = Method::parse("peer.revoke").expect("a method").definition();
    let error = row.check_parameters(serde_json::json!({"per_id": "p"})).expect_err("misspelt");
    assert!(error.contains("`per_id`") && error.contains("`peer_id`"), "{error}");
    let given = serde_json::json!({"peer_id": "p", "acceptance_token": "t", "colour": "blue"});
    let result: peer::Proposed = serde_json::from_value(given.clone()).expect("a result");
    assert_eq!(serde_json::to_value(result).expect("JSON"), given);
}

#[test]
fn a_list_is_read_under_its_name_or_alone() {
    let row = Method::parse("peer.list").expect("a method").definition();
    assert_eq!(row.result().to_string(), r#"{"peers": array of object} or an array"#);
    for (given, is_read) in [
        (serde_json::json!([]), true),
        (serde_json::json!({"peers": []}), true),
        (serde_json::json!({"peer": []}), false),
    ] {
        assert_eq!(row.check_result(given).is_ok(), is_read);
    }
}

#[test]
fn an_optional_member_may_be_null() {
    let probe = Method::parse("network.probe").expect("a method").definition();
    assert_eq!(probe.check_result(serde_json::json!({"reached": true, "detail": null})), Ok(()));
    assert!(probe.check_result(serde_json::json!({"reached": "yes", "detail": null})).is_err());
}

#[test]
fn forms_name_kinds_and_what_is_required() {
    let row = Method::parse("grant.issue").expect("a method").definition();
    let wanted = r#"{"grant_id": text, "bearer_token": text, "expires_at": time as in RFC 3339}"#;
    assert_eq!(row.result().to_string(), wanted);
    let start = Method::parse("platform.start").expect("a method").definition();
    assert_eq!(start.result().to_string(), r#"{"base_url": http or https URL}"#);
    let settings = start.parameters().members.into_iter().find(|member| member.name == "settings");
    let settings = settings.expect("a member");
    assert_eq!((settings.kind, settings.required), (Kind::Object, false));
    assert!(settings.members.iter().any(|member| member.name == "crash_at_step"));
}

#[test]
fn the_schema_has_a_definition_for_each_method() {
    let schema = schema();
    let definitions = schema["$defs"].as_object().expect("an object");
    let names: BTreeSet<&str> = definitions.keys().map(String::as_str).collect();
    for method in Method::all() {
        assert!(names.contains(&*format!("{method}.params")) && names.contains(&*format!("{method}.result")));
    }
    assert_eq!(schema["oneOf"].as_array().map(Vec::len), Some(Method::all().count()));
}
