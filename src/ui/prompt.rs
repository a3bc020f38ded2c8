//! Questions to a person at a terminal. Without one, nothing is asked and the flag to pass is named.

use std::io;

use dialoguer::{Input, Password};
use zeroize::Zeroizing;

use super::{Ui, has_terminal};

/// A question that could not be asked, and the flag that answers it.
#[derive(Debug, PartialEq, Eq)]
pub struct NoTerminal {
    pub question: String,
    pub flag: String,
}

#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    #[error("there is no terminal to ask on: {}", .0.question)]
    NoTerminal(NoTerminal),
    #[error("the answer could not be read: {0}")]
    Interrupted(io::Error),
}

impl Ui {
    /// Asks for one exact word; anything else is a no.
    pub fn typed(&self, question: &str, word: &str, flag: &str) -> Result<bool, PromptError> {
        need_terminal(question, flag)?;
        let answer: String = Input::new()
            .with_prompt(super::visible(question))
            .allow_empty(true)
            .report(false)
            .interact_text()
            .map_err(|dialoguer::Error::IO(e)| PromptError::Interrupted(e))?;
        Ok(answer.trim() == word)
    }

    pub fn password(&self, question: &str, flag: &str) -> Result<Zeroizing<String>, PromptError> {
        need_terminal(question, flag)?;
        Password::new()
            .with_prompt(super::visible(question))
            .allow_empty_password(true)
            .report(false)
            .interact()
            .map(Zeroizing::new)
            .map_err(|dialoguer::Error::IO(e)| PromptError::Interrupted(e))
    }
}

fn need_terminal(question: &str, flag: &str) -> Result<(), PromptError> {
    if has_terminal() {
        return Ok(());
    }
    Err(PromptError::NoTerminal(NoTerminal { question: question.into(), flag: flag.into() }))
}
