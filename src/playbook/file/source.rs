//! A playbook's text while it is read: faults that point into it, and the names that its templates may use.

use std::collections::BTreeMap;
use std::ops::Range;

use alloy::dyn_abi::DynSolType;
use alloy::json_abi::Function;

use super::playbook_toml::{Repeats, Text};
use crate::excerpt::Fault;
use crate::playbook::each::Each;
use crate::playbook::language::builtin;
use crate::playbook::language::signature_text::parse_function;
use crate::playbook::language::syntax::Flaw;
use crate::playbook::language::template::{Allowed, Template};
use crate::playbook::language::typing::Scope;
use crate::playbook::piece::PIECE;

/// The text being read and the names that it may use.
pub(in crate::playbook) struct Source<'a> {
    pub origin: &'a str,
    pub text: &'a str,
    pub scope: Scope,
}

impl Source<'_> {
    pub fn fault(&self, span: Range<usize>, message: impl Into<String>) -> Fault {
        Fault::at(self.origin, self.text, span, message)
    }

    /// A fault inside a quoted text, under the very word if the text is written without escapes.
    pub fn flaw(&self, text: &Text, flaw: Flaw) -> Fault {
        let span = text.span();
        let inside = span.start + 1..span.end.saturating_sub(1);
        if self.text.get(inside.clone()) == Some(text.get_ref()) && flaw.at.end <= text.get_ref().len() {
            let at = inside.start + flaw.at.start..inside.start + flaw.at.end;
            return self.fault(at, flaw.message);
        }
        self.fault(span, flaw.message)
    }

    pub fn template(&self, text: &Text, ty: &DynSolType) -> Result<Template, Fault> {
        let template = Template::parse(text.get_ref(), ty, Allowed::Expressions(&self.scope));
        template.map_err(|flaw| self.flaw(text, flaw))
    }

    pub fn pattern(&self, text: &Text, ty: &DynSolType) -> Result<Template, Fault> {
        let template = Template::parse(text.get_ref(), ty, Allowed::Patterns(&self.scope));
        template.map_err(|flaw| self.flaw(text, flaw))
    }

    pub fn address(&self, text: &Text) -> Result<Template, Fault> {
        self.template(text, &DynSolType::Address)
    }

    pub fn function(&self, text: &Text) -> Result<Function, Fault> {
        parse_function(text.get_ref()).map_err(|why| self.fault(text.span(), why))
    }

    /// Adds a name to those that templates may use.
    pub fn define(&mut self, name: &Text, ty: DynSolType) -> Result<(), Fault> {
        let text = name.get_ref();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !text.starts_with(|c: char| c.is_ascii_lowercase()) || !text.chars().all(plain) {
            let message = format!("{text:?} is not a name: use small letters, digits and _");
            return Err(self.fault(name.span(), message));
        }
        if builtin::is_reserved(text) {
            return Err(self.fault(name.span(), format!("{text:?} is the name of a function")));
        }
        if text == PIECE || self.scope.0.contains_key(text) {
            let message = format!("{text:?} is the name of something else already");
            return Err(self.fault(name.span(), message));
        }
        self.scope.0.insert(text.clone(), ty);
        Ok(())
    }

    /// The lists that a part is repeated over, and what it may use: an item of each under its name as well.
    pub fn each(&self, wire: Option<&Repeats>) -> Result<(Option<Each>, Self), Fault> {
        let mut inner = Self { scope: self.scope.clone(), ..*self };
        let Some(wire) = wire else { return Ok((None, inner)) };
        if wire.get_ref().is_empty() {
            return Err(self.fault(wire.span(), "for needs a name and a list: { pool = \"{pools}\" }"));
        }
        let mut lists = BTreeMap::new();
        for (name, text) in wire.get_ref() {
            let (list, item) =
                Template::list(text.get_ref(), &self.scope).map_err(|flaw| self.flaw(text, flaw))?;
            inner.define(name, item)?;
            lists.insert(name.get_ref().clone(), list);
        }
        Ok((Some(Each(lists)), inner))
    }

    /// One template for each type; `at` is what takes them.
    pub fn args(
        &self,
        at: &Text,
        args: Option<&toml::Spanned<Vec<Text>>>,
        types: &[DynSolType],
    ) -> Result<Vec<Template>, Fault> {
        let given = args.map_or(&[][..], |list| list.get_ref());
        if given.len() != types.len() {
            let span = args.map_or(at.span(), toml::Spanned::span);
            let message =
                format!("{} takes {} arguments, and {} are given", at.get_ref(), types.len(), given.len());
            return Err(self.fault(span, message));
        }
        given.iter().zip(types).map(|(text, ty)| self.template(text, ty)).collect()
    }

    pub fn filled<'t>(&self, text: &'t Text, why: &str) -> Result<&'t str, Fault> {
        match text.get_ref().trim() {
            "" => Err(self.fault(text.span(), why)),
            text => Ok(text),
        }
    }
}
