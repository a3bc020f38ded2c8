//! Questions to a person at a terminal. Without one, nothing is asked and the flag to pass is named.

use std::io;

use zeroize::Zeroizing;

#[cfg(unix)]
use super::line_input;
use super::{Text, Ui, has_terminal};

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

    /// Waits until Enter is pressed.
    pub fn pause(&self, what: &str) -> Result<(), PromptError> {
        ask(what, "", true).map(drop)
    }

    /// Asks until the answer is yes or no: `y` and `YES` count, anything else asks again.
    pub fn confirmed(&self, question: &str, flag: &str) -> Result<bool, PromptError> {
        loop {
            if let Some(answer) = yes_or_no(&ask(question, flag, true)?) {
                return Ok(answer);
            }
            self.say(&Text::default().warn("neither yes nor no: ").add("type yes, or no"));
        }
    }

    /// Lists these and asks for the number of one, until it is one of them; answers its place, from 0.
    pub fn choose(&self, question: &str, among: &[String], flag: &str) -> Result<usize, PromptError> {
        need_terminal(question, flag)?;
        for (at, one) in among.iter().enumerate() {
            self.say(&Text::new(&format!("  {}  {one}", at + 1)));
        }
        let question = format!("{question} Type its number, 1 to {}", among.len());
        loop {
            if let Some(at) = place(&ask(&question, flag, true)?, among.len()) {
                return Ok(at);
            }
        }
    }

    pub fn password(&self, question: &str, flag: &str) -> Result<Zeroizing<String>, PromptError> {
        ask(question, flag, false)
    }
}

fn ask(question: &str, flag: &str, shown: bool) -> Result<Zeroizing<String>, PromptError> {
    need_terminal(question, flag)?;
    match line_input::ask(&super::bounded(question), shown) {
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

fn yes_or_no(answer: &str) -> Option<bool> {
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Some(true),
        "n" | "no" => Some(false),
        _ => None,
    }
}

/// The place, from 0, that a number from 1 names.
fn place(answer: &str, count: usize) -> Option<usize> {
    answer.trim().parse::<usize>().ok()?.checked_sub(1).filter(|at| *at < count)
}

fn need_terminal(question: &str, flag: &str) -> Result<(), PromptError> {
    if has_terminal() {
        return Ok(());
    }
    Err(PromptError::NoTerminal(NoTerminal { question: question.into(), flag: flag.into() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_and_no_answer_a_question() {
        for (answer, meant) in [
            ("y", Some(true)),
            ("Y\n", Some(true)),
            (" YES ", Some(true)),
            ("yes", Some(true)),
            ("n", Some(false)),
            ("No", Some(false)),
            ("", None),
            ("yess", None),
            ("guardian", None),
        ] {
            assert_eq!(yes_or_no(answer), meant, "{answer:?}");
        }
    }

    #[test]
    fn a_number_that_is_not_on_the_list_chooses_nothing() {
        for (answer, at) in
            [("1", Some(0)), (" 3\n", Some(2)), ("0", None), ("4", None), ("", None), ("-1", None)]
        {
            assert_eq!(place(answer, 3), at, "{answer:?}");
        }
        assert_eq!(place("1", 0), None);
    }
}
