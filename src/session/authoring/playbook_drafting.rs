//! `playbook new`: a first playbook for a function, from signatures, an ABI or a contract on chain.

use std::path::Path;

use crate::ceremony::order::named_once;
use crate::error::{Error, Exit};
use crate::playbook::{DraftError, ScaffoldInput, Signatures, draft};
use crate::session::Session;
use crate::store;
use crate::ui::{Text, Ui};
use crate::view::playbook_texts::playbook_draft;

/// The flags of `playbook new`.
pub struct DraftTerms<'w> {
    pub id: &'w str,
    pub call: &'w str,
    pub view: Option<&'w str>,
    pub abi: Option<&'w Path>,
    /// Arguments of the call.
    pub set: &'w [(String, String)],
}

/// The contract on chain that is read for the draft.
pub struct ContractOnChain<'o> {
    pub session: Session<'o>,
    pub contract: &'o str,
    pub chain: Option<&'o str>,
    /// The Safe that calls it in the rehearsal.
    pub safe: Option<&'o str>,
}

pub fn run(ui: &Ui, terms: &DraftTerms, on_chain: Option<&ContractOnChain>) -> Result<Exit, Error> {
    let given = named_once(terms.set)?;
    let abi = terms.abi.map(store::read_text).transpose()?;
    let abi = abi.map(|text| Signatures::abi(&text).map_err(|error| usage(&error))).transpose()?;
    let (from, seen) = match on_chain {
        None => (abi.unwrap_or_else(Signatures::written), Vec::new()),
        Some(ContractOnChain { session, contract, chain, safe }) => {
            let desk = &session.desk;
            let place = desk.place(contract, *chain)?;
            let from = match abi {
                Some(abi) => abi,
                None => desk.signatures_at(place)?,
            };
            let function = from.function(terms.call).map_err(|error| usage(&error))?;
            let (views, nameless) = from.bare_views();
            let seen = desk.observed_changes(place, desk.only_safe(*safe)?, &function, &given, &views)?;
            ui.show(&playbook_draft::changes(&seen, nameless));
            (from, seen.changes)
        }
    };
    let input =
        ScaffoldInput { id: terms.id, call: terms.call, view: terms.view, given: &given, seen: &seen };
    let text = draft(&from, &input).map_err(|error| usage(&error))?;
    ui.data_block(&text);
    ui.object(&playbook_draft::object(terms.id, &text, &seen));
    ui.say(&Text::new(&format!(
        "save it as playbooks/{}.toml beside the council file, say what is left to say, then: breakglass playbook \
         check playbooks",
        terms.id
    )));
    Ok(Exit::Done)
}

fn usage(error: &DraftError) -> Error {
    Error::new(Exit::Usage, error.to_string())
}
