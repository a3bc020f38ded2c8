//! Questions to a person at a terminal. Without one, nothing is asked and the flag to pass is named.

use std::io;

use zeroize::Zeroizing;

#[cfg(unix)]
use super::line;
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
    #[error("stopped at the question: {0}")]
    Stopped(String),
    #[error("the answer could not be read: {0}")]
    Interrupted(io::Error),
}

impl Ui {
    /// Asks for one exact word; anything else is a no.
    pub fn typed(&self, question: &str, word: &str, flag: &str) -> Result<bool, PromptError> {
        Ok(ask(question, flag, true)?.trim() == word)
    }

    pub fn password(&self, question: &str, flag: &str) -> Result<Zeroizing<String>, PromptError> {
        ask(question, flag, false)
    }
}

fn ask(question: &str, flag: &str, shown: bool) -> Result<Zeroizing<String>, PromptError> {
    need_terminal(question, flag)?;
    match line::ask(&super::visible(question), shown) {
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => Err(PromptError::Stopped(question.into())),
        Err(error) => Err(PromptError::Interrupted(error)),
    }
}

#[cfg(not(unix))]
mod line {
    use std::io;

    use dialoguer::{Input, Password};
    use zeroize::Zeroizing;

    pub fn ask(question: &str, shown: bool) -> io::Result<Option<Zeroizing<String>>> {
        let answer = if shown {
            Input::<String>::new().with_prompt(question).allow_empty(true).report(false).interact_text()
        } else {
            Password::new().with_prompt(question).allow_empty_password(true).report(false).interact()
        };
        answer.map(|text| Some(Zeroizing::new(text))).map_err(|dialoguer::Error::IO(e)| e)
    }
}

fn need_terminal(question: &str, flag: &str) -> Result<(), PromptError> {
    if has_terminal() {
        return Ok(());
    }
    Err(PromptError::NoTerminal(NoTerminal { question: question.into(), flag: flag.into() }))
}
