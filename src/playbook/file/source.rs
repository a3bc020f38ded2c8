//! A playbook's text while it is read: faults that point into it, and the names that its templates may use.

use std::ops::Range;

use alloy::dyn_abi::DynSolType;
use alloy::json_abi::Function;

use super::wire::Text;
use crate::excerpt::Fault;
use crate::playbook::language::syntax::Flaw;
use crate::playbook::language::template::{Allowed, Template};
use crate::playbook::language::typing::Scope;
use crate::playbook::language::value::parse_function;

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
