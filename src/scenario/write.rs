//! Writes a scenario as a file.

use toml::{Table, Value, ser};

use super::format::Scenario;

/// The members of a scenario that are lists of tables, in the order of a file.
const LISTS: [&str; 3] = ["peer", "step", "check"];

/// Writes a scenario as a file that [`load`](fn@super::load) reads. A step is an inline table, as in the files that
/// people write. It fails if a value is null, which TOML lacks.
pub fn write(scenario: &Scenario) -> Result<String, ser::Error> {
    let mut members = Table::try_from(scenario)?;
    let lists = LISTS.map(|name| (name, members.remove(name)));
    let mut parts = vec![lines(&members)];
    for (name, list) in &lists {
        let tables = list.iter().filter_map(Value::as_array).flatten().filter_map(Value::as_table);
        parts.extend(tables.map(|table| format!("\n[[{name}]]\n{}", lines(table))));
    }
    Ok(parts.concat())
}

fn lines(members: &Table) -> String {
    let lines: Vec<String> = members.iter().map(|(name, value)| format!("{name} = {value}\n")).collect();
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner::library;
    use crate::scenario::load;

    #[test]
    fn what_is_written_is_read_as_the_same() {
        for loaded in library(None).expect("sound scenarios").iter() {
            let written = write(&loaded.scenario).expect(&loaded.id);
            let again = load(&loaded.id, &loaded.id, &written).expect("sound");
            assert_eq!(again.scenario, loaded.scenario);
        }
    }

    #[test]
    fn a_step_takes_one_line() {
        let source = "title = \"t\"\n\n[[peer]]\nname = \"alice\"\n\n[[step]]\nheartbeat = { peer = \"alice\", \
                      with = { members = [1.0, -2] } }\n";
        let steps = |text: &str| text.lines().filter(|line| line.starts_with("heartbeat = ")).count();
        let loaded = load("x", "x.toml", source).expect("sound");
        let written = write(&loaded.scenario).expect("it can be written");
        assert_eq!((steps(&written), written.lines().count()), (1, source.lines().count()));
    }

    #[test]
    fn a_null_is_no_scenario() {
        let loaded = load("x", "x.toml", "title = \"t\"\nstep = []\n").expect("sound");
        let mut scenario = loaded.scenario;
        scenario.settings.insert("member".to_owned(), serde_json::Value::Null);
        assert!(write(&scenario).is_err());
    }
}
