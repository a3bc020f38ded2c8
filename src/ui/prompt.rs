//! Questions to a person at a terminal. Without one, nothing is asked and the flag to pass is named.

use std::io;

use zeroize::Zeroizing;

#[cfg(unix)]
use super::line_input;
use super::{Lines, Text, Ui, columns, has_terminal, rows};

/// A terminal that says it is lower is taken to be this high.
const LEAST_ROWS: usize = 5;

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

    /// The same, where `more` shows the rest before it is asked again.
    pub fn decided(
        &self,
        question: &str,
        flag: &str,
        mut more: impl FnMut() -> Result<(), PromptError>,
    ) -> Result<bool, PromptError> {
        loop {
            let answer = ask(question, flag, true)?;
            if let Some(answer) = yes_or_no(&answer) {
                return Ok(answer);
            }
            if is_more(&answer) {
                more()?;
            } else {
                self.say(&Text::default().warn("not an answer: ").add("type yes, no, or more"));
            }
        }
    }

    /// Shows lines as a book: a page of the terminal's height, then the next one after Enter.
    pub fn pages(&self, lines: &Lines) -> Result<(), PromptError> {
        let all: Vec<Text> = lines.iter().flat_map(|line| line.clone().wrapped(columns().into())).collect();
        let height = rows().saturating_sub(1).max(LEAST_ROWS);
        let pages = all.len().div_ceil(height);
        for (at, page) in all.chunks(height).enumerate() {
            for line in page {
                self.say(line);
            }
            if at + 1 < pages {
                let question = format!("page {} of {pages}; Enter shows the next, q ends it", at + 1);
                if ask(&question, "", true)?.trim().eq_ignore_ascii_case("q") {
                    return Ok(());
                }
            }
        }
        Ok(())
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

fn is_more(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "m" | "more")
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
    fn more_is_neither_yes_nor_no() {
        for (answer, more) in [("more\n", true), ("M", true), ("yes", false), ("mor", false), ("", false)] {
            assert_eq!((is_more(answer), more && yes_or_no(answer).is_some()), (more, false), "{answer:?}");
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
