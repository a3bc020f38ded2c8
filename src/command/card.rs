//! `card`: what a signer keeps on paper, a second source that needs no second person.

use clap_complete::ArgValueCompleter;
use serde_json::json;

use crate::ceremony::cards::{LeverCard, is_same, printed};
use crate::ceremony::entering::now;
use crate::ceremony::order::Given;
use crate::cli::args::{ARGUMENTS, Accept, parse_set};
use crate::cli::complete;
use crate::error::{Error, Exit};
use crate::incident::{Journal, JournalAct};
use crate::proposal::Stale;
use crate::safe::Nonces;
use crate::session::Session;
use crate::ui::Text;
use crate::view::card_text::CardText;

const EXAMPLES: &str = "\
Examples:
  breakglass card vault --nonces 42..46 | lpr
  breakglass card vault bridge --nonces 42..46
  breakglass card vault                   the next five nonces";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// Levers; those named together are pulled together
    #[arg(required = true, help_heading = ARGUMENTS, add = ArgValueCompleter::new(complete::levers))]
    levers: Vec<String>,

    /// The Safe's nonces, both included [default: the next five]
    ///
    /// With them no network is needed, if the council file has the Safe's version and the lever reads nothing. A lever
    /// that stands alone in a combined one gets the nonces after them.
    #[arg(long, value_name = "A..B")]
    nonces: Option<Nonces>,

    /// An argument that the lever leaves open; may be given again
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_set, add = ArgValueCompleter::new(complete::arguments))]
    set: Vec<(String, String)>,

    /// Leave out a lever that a combined one pulls; may be given again
    #[arg(long, value_name = "LEVER", add = ArgValueCompleter::new(complete::levers))]
    without: Vec<String>,

    /// The card of its counter-playbook
    #[arg(long)]
    undo: bool,

    #[command(flatten)]
    accept: Accept,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    let given =
        Given { set: args.set.clone(), without: args.without.clone(), undo: args.undo, ..Given::default() };
    // A card is trusted later: it must rest on texts that their reader has accepted.
    session.require_accepted(&session.rests_of(&args.levers, &given)?, &args.accept.accept)?;
    let cards = session.cards(&args.levers, &given, args.nonces)?;
    let texts: Vec<CardText> = cards.iter().map(|card| CardText::new(card, now())).collect();
    for (at, text) in texts.iter().enumerate() {
        if at > 0 {
            // Each on a page of its own.
            session.ui.data("");
            session.ui.data(&"-".repeat(80));
            session.ui.data("");
        }
        for line in text.lines() {
            session.ui.data(&line);
        }
    }
    session.ui.object(&json!({ "cards": texts }));
    for card in &cards {
        say_older(session, card)?;
        session.note_about(JournalAct::Card { nonces: card.card.nonces() }, Some(card.about()));
    }
    Ok(Exit::Done)
}

/// Says if the card that was printed before is of another transaction.
fn say_older(session: &Session, card: &LeverCard<'_>) -> Result<(), Error> {
    let about = card.about();
    let journal = Journal::read(&session.incidents.journal().read()?);
    let Some(older) = printed(&journal).into_iter().find(|kept| is_same(&kept.about, &about)) else {
        return Ok(());
    };
    let next = older.card.nonces.first();
    if older.card.stale(card.card.safe(), card.card.tx(), next) == Some(Stale::OtherTransaction) {
        let (time, nonces) = (older.time, older.card.nonces);
        let text = format!("the card of {time} for nonces {nonces} is of another transaction: destroy it");
        session.ui.say(&Text::default().warn("! ").add(&text));
    }
    Ok(())
}
