//! `alert`: another monitor's message about an alarm of the council file, on standard input.

use crate::cli::args::ARGUMENTS;
use crate::error::{Error, Exit};
use crate::session::{Session, alarms::alert_message};

const EXAMPLES: &str = "\
Examples:
  breakglass alert drained < message.json
  breakglass alert drained --wait --run ./page.sh < message.json";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// The alarm of the council file that the message is about
    #[arg(help_heading = ARGUMENTS)]
    alarm: String,

    /// Prepare the lever before this command ends
    ///
    /// Without it the message is written into the journal, this command ends at once, and the lever is prepared after it.
    #[arg(long)]
    wait: bool,

    /// A command of the shell that gets the alarm as JSON on its standard input
    ///
    /// It is run by this machine's shell, after the lever was prepared. The council file and messages cannot name one.
    #[arg(long, value_name = "COMMAND", help_heading = "Output")]
    run: Option<String>,

    /// Prepare the lever for a message that is in the journal already, by its id
    #[arg(long, value_name = "ID", hide = true, conflicts_with = "wait")]
    prepare_after: Option<String>,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let (alarm, run) = (session.alarm(&args.alarm)?, args.run.as_deref());
    match &args.prepare_after {
        Some(id) => alert_message::prepare_after(session, alarm, id, run),
        None => alert_message::receive(session, alarm, args.wait, run),
    }
}
