//! The syntax between braces in a playbook: a name, a literal or a call of a function. No loops, no
//! conditions, no scripting.

use std::ops::Range;

const MAX_DEPTH: usize = 16;

/// A fault at a place in a template, in bytes from its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::playbook) struct Flaw {
    pub at: Range<usize>,
    pub message: String,
}

impl Flaw {
    pub(in crate::playbook) fn new(at: Range<usize>, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }
}

/// An expression as written.
pub(in crate::playbook) struct SyntaxNode {
    pub at: Range<usize>,
    pub kind: NodeKind,
}

pub(in crate::playbook) enum NodeKind {
    Name(String),
    Number(String),
    Text(String),
    Call(String, Vec<SyntaxNode>),
}

impl SyntaxNode {
    pub(in crate::playbook) fn flaw(&self, message: impl Into<String>) -> Flaw {
        Flaw::new(self.at.clone(), message)
    }
}

/// Reads the text between braces; `base` is where it begins in the template.
pub(in crate::playbook) fn parse(text: &str, base: usize) -> Result<SyntaxNode, Flaw> {
    let mut reader = Reader { text, at: 0, base };
    let node = reader.node(0)?;
    reader.skip_space();
    match reader.peek() {
        None => Ok(node),
        Some(c) => Err(reader.flaw(format!("{c:?} is not expected after the end of the expression"))),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    base: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn skip_space(&mut self) {
        self.take(char::is_whitespace);
    }

    fn take(&mut self, accept: impl Fn(char) -> bool) -> String {
        let rest = &self.text[self.at..];
        let taken = &rest[..rest.find(|c| !accept(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken.into()
    }

    fn consume(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        if found {
            self.at += c.len_utf8();
        }
        found
    }

    fn flaw(&self, message: impl Into<String>) -> Flaw {
        let end = self.at + self.peek().map_or(1, char::len_utf8);
        Flaw::new(self.base + self.at..self.base + end, message)
    }

    fn node(&mut self, depth: usize) -> Result<SyntaxNode, Flaw> {
        self.skip_space();
        if depth > MAX_DEPTH {
            return Err(self.flaw(format!("functions are nested deeper than {MAX_DEPTH}")));
        }
        let start = self.at;
        let kind = match self.peek() {
            Some(quote @ ('"' | '\'')) => NodeKind::Text(self.quoted(quote)?),
            Some(c) if c.is_ascii_digit() || c == '-' => {
                NodeKind::Number(self.take(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => self.word(depth)?,
            Some(c) => {
                return Err(self.flaw(format!("{c:?} where a name, a number or a function is expected")));
            }
            None => return Err(self.flaw("a name, a number or a function is missing here")),
        };
        Ok(SyntaxNode { at: self.base + start..self.base + self.at, kind })
    }

    fn quoted(&mut self, quote: char) -> Result<String, Flaw> {
        let start = self.at;
        self.consume(quote);
        let text = self.take(|c| c != quote);
        if self.consume(quote) {
            return Ok(text);
        }
        Err(Flaw::new(self.base + start..self.base + self.at, format!("the text has no closing {quote}")))
    }

    fn word(&mut self, depth: usize) -> Result<NodeKind, Flaw> {
        let name = self.take(|c| c.is_ascii_alphanumeric() || c == '_');
        self.skip_space();
        if !self.consume('(') {
            return Ok(NodeKind::Name(name));
        }
        let mut args = Vec::new();
        self.skip_space();
        if self.consume(')') {
            return Ok(NodeKind::Call(name, args));
        }
        loop {
            args.push(self.node(depth + 1)?);
            self.skip_space();
            if self.consume(')') {
                return Ok(NodeKind::Call(name, args));
            }
            if !self.consume(',') {
                return Err(self.flaw(format!("a comma or a closing bracket of {name}(…) is missing here")));
            }
        }
    }
}
