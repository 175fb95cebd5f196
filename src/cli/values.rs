//! The values of all options, beyond what each parser takes.

use std::ffi::OsStr;

use clap::error::ErrorKind;
use clap::{ArgMatches, Command};

/// Lets each option of a command take a text such as `-1` as its value, so that the message names what is expected there.
pub(super) fn taking_negative_numbers(command: Command) -> Command {
    let command = command.mut_args(|argument| {
        let takes = argument.get_action().takes_values() && !argument.is_last_set();
        if takes { argument.allow_negative_numbers(true) } else { argument }
    });
    command.mut_subcommands(taking_negative_numbers)
}

/// Refuses an empty text as the value of an option. It is mostly a variable of a script that is not set.
pub(super) fn refuse_empty(command: &mut Command, matches: &ArgMatches) -> Result<(), clap::Error> {
    if let Some(name) = empty_option(command, matches) {
        let message = format!(
            "the value of {name} is empty; leave the option out, or check the variable that gives it"
        );
        return Err(command.error(ErrorKind::InvalidValue, message));
    }
    Ok(())
}

fn empty_option(command: &Command, matches: &ArgMatches) -> Option<String> {
    let is_empty = |id: &str| {
        let given = matches.try_get_raw(id).ok().flatten();
        given.into_iter().flatten().any(OsStr::is_empty)
    };
    // The arguments of another program are its own.
    let own = command.get_arguments().filter(|argument| !argument.is_last_set());
    let found = own.filter(|argument| is_empty(argument.get_id().as_str())).map(ToString::to_string).next();
    found.or_else(|| {
        let (name, inner) = matches.subcommand()?;
        empty_option(command.find_subcommand(name)?, inner)
    })
}
