//! The elements of a JUnit file, and how they are written.
//!
//! One file is valid against two schemas: that of Jenkins (`junit-10.xsd` of its xUnit plugin) and that of Ant (`JUnit.xsd`). Ant's
//! wants each attribute and element that is written here, and no other: no attribute on `testsuites`, no properties of a
//! case, no zone in a timestamp.

use std::io;
use std::time::Duration;

use jiff::Timestamp;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use crate::report::escape::xml;

/// A test suite. Its texts may be those of a target: they are escaped as they are written.
#[derive(Default)]
pub(super) struct Suite {
    pub(super) name: String,
    /// When the run began.
    pub(super) began: Option<Timestamp>,
    pub(super) took: Duration,
    pub(super) properties: Vec<(String, String)>,
    pub(super) cases: Vec<Case>,
    /// The lines that a reader sees as the suite's output.
    pub(super) output: Vec<String>,
}

/// A test case.
pub(super) struct Case {
    pub(super) name: String,
    /// The scenario, or the sort of the case.
    pub(super) class: String,
    pub(super) took: Duration,
    pub(super) status: Status,
}

/// The status of a case.
pub(super) enum Status {
    Passed,
    /// Skipped, for this reason.
    Skipped(String),
    Failed(Failure),
    /// The case could not be decided.
    Error(Failure),
}

/// Element of a case that did not pass.
pub(super) struct Failure {
    pub(super) kind: &'static str,
    pub(super) message: String,
    pub(super) text: String,
}

/// Writes the suites as one XML file.
pub(super) fn document(suites: &[Suite]) -> io::Result<String> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 4);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    writer.create_element("testsuites").write_inner_content(|writer| {
        suites.iter().enumerate().try_for_each(|(place, suite)| write_suite(writer, place, suite))
    })?;
    let text = String::from_utf8(writer.into_inner()).map_err(io::Error::other)?;
    Ok(text + "\n")
}

fn write_suite(writer: &mut Writer<Vec<u8>>, place: usize, suite: &Suite) -> io::Result<()> {
    let count = |is: fn(&Status) -> bool| suite.cases.iter().filter(|case| is(&case.status)).count();
    let began = suite.began.unwrap_or(Timestamp::UNIX_EPOCH);
    let attributes = [
        ("name", xml(&suite.name)),
        ("package", "covenant".to_owned()),
        ("id", place.to_string()),
        ("tests", suite.cases.len().to_string()),
        ("failures", count(|status| matches!(status, Status::Failed(_))).to_string()),
        ("errors", count(|status| matches!(status, Status::Error(_))).to_string()),
        ("skipped", count(|status| matches!(status, Status::Skipped(_))).to_string()),
        ("time", seconds(suite.took)),
        ("timestamp", began.strftime("%Y-%m-%dT%H:%M:%S").to_string()),
        // A report names no machine, and this is what the format has for that.
        ("hostname", "localhost".to_owned()),
    ];
    let element = writer.create_element("testsuite").with_attributes(borrowed(&attributes));
    element.write_inner_content(|writer| {
        writer.create_element("properties").write_inner_content(|writer| {
            suite.properties.iter().try_for_each(|(name, value)| {
                let attributes = [("name", xml(name)), ("value", xml(value))];
                let element = writer.create_element("property").with_attributes(borrowed(&attributes));
                element.write_empty().map(|_| ())
            })
        })?;
        suite.cases.iter().try_for_each(|case| write_case(writer, case))?;
        let output = xml(&suite.output.join("\n"));
        writer.create_element("system-out").write_text_content(BytesText::new(&output))?;
        writer.create_element("system-err").write_text_content(BytesText::new(""))?;
        Ok(())
    })?;
    Ok(())
}

fn write_case(writer: &mut Writer<Vec<u8>>, case: &Case) -> io::Result<()> {
    let attributes =
        [("name", xml(&case.name)), ("classname", xml(&case.class)), ("time", seconds(case.took))];
    let element = writer.create_element("testcase").with_attributes(borrowed(&attributes));
    let (name, failure) = match &case.status {
        Status::Passed => {
            element.write_empty()?;
            return Ok(());
        }
        Status::Skipped(why) => {
            element.write_inner_content(|writer| {
                let skipped = writer.create_element("skipped").with_attribute(("message", xml(why).as_str()));
                skipped.write_empty().map(|_| ())
            })?;
            return Ok(());
        }
        Status::Failed(failure) => ("failure", failure),
        Status::Error(failure) => ("error", failure),
    };
    element.write_inner_content(|writer| {
        let attributes = [("message", xml(&failure.message)), ("type", failure.kind.to_owned())];
        let element = writer.create_element(name).with_attributes(borrowed(&attributes));
        element.write_text_content(BytesText::new(&xml(&failure.text))).map(|_| ())
    })?;
    Ok(())
}

/// Returns a time in seconds, to the millisecond.
fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

fn borrowed<'a>(attributes: &'a [(&'static str, String)]) -> impl Iterator<Item = (&'a str, &'a str)> + 'a {
    attributes.iter().map(|(name, value)| (*name, value.as_str()))
}
