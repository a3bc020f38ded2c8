//! `card`: prints a transaction's hashes for paper, as a source to compare with that needs no second person.

use crate::ceremony::aftermath::entering::now;
use crate::ceremony::overviews::cards::{LeverCard, is_same, printed};
use crate::error::{Error, Exit};
use crate::incident::{Journal, JournalAct};
use crate::proposal::Stale;
use crate::session::Session;
use crate::ui::Text;
use crate::view::on_paper::card_text::CardText;

/// Prints cards, and warns of one that was printed before for another transaction.
pub fn print(session: &Session, cards: &[LeverCard<'_>]) -> Result<Exit, Error> {
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
    session.ui.field("cards", &texts);
    for card in cards {
        warn_of_older_card(session, card)?;
        session.note_about(JournalAct::Card { nonces: card.card.nonces() }, Some(card.about()));
    }
    Ok(Exit::Done)
}

/// Warns if the card that was printed before is of another transaction.
fn warn_of_older_card(session: &Session, card: &LeverCard<'_>) -> Result<(), Error> {
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
