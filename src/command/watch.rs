//! `watch`: reads the alarms of the council file, and prepares the lever of one that is false.

use crate::cli::args::ARGUMENTS;
use crate::error::{Error, Exit};
use crate::session::Session;
use crate::session::alarms::alarm_watch::watch_alarms;
use crate::ui::Text;

const EXAMPLES: &str = "\
Examples:
  breakglass watch --run 'curl -s -d @- https://pager.example/hook'
  breakglass watch --once drained        for cron: exit 9 if it has fired";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// Alarms of the council file [default: all that have a view]
    #[arg(help_heading = ARGUMENTS, value_name = "ALARM")]
    alarms: Vec<String>,

    /// Look once and end: exit 9 if an alarm has fired, 7 if one could not be read
    #[arg(long)]
    once: bool,

    /// A command of the shell that gets each alarm as JSON on its standard input
    ///
    /// It is run by this machine's shell. The council file and messages cannot name one.
    #[arg(long, value_name = "COMMAND", help_heading = "Output")]
    run: Option<String>,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let watches = session.watches(&args.alarms)?;
    if watches.is_empty() {
        return Err(Error::new(Exit::Usage, "no alarm of the council file has a view to read")
            .hint("add [alarms.NAME] with title, lever, on, view and expect: breakglass help alarms"));
    }
    let count: usize = watches.iter().map(|watch| watch.names().count()).sum();
    let plural = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let text = format!("watching {} on {}", plural(count, "alarm"), plural(watches.len(), "chain"));
    session.ui.say(&Text::new(&text));
    let state = watch_alarms(session, watches, (args.once, args.run.as_deref()));
    session.ui.object(&state);
    match (state.fired.is_empty(), state.unread.is_empty()) {
        (true, false) if args.once => Err(Error::new(
            Exit::Network,
            format!("could not be read: {}", state.unread.into_iter().collect::<Vec<_>>().join(", ")),
        )),
        (false, _) if args.once => Ok(Exit::Alarm),
        _ => Ok(Exit::Done),
    }
}
