//! The language of playbooks: literals and units, expressions between braces, templates, types and values.
//!
//! Pure text and values; it knows nothing of files, steps or checks.

pub(super) mod builtin;
pub(super) mod expression;
pub(super) mod flags;
pub(super) mod literal;
pub(super) mod pattern;
pub(super) mod signature_text;
pub(super) mod syntax;
pub(super) mod template;
pub(super) mod typing;
pub(super) mod unit;
pub(super) mod value;
