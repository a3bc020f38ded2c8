//! The words of a chain: blocks, questions and answers, revert reasons, values as people read them, the functions that
//! a bytecode has.
//!
//! May touch values only: who asks a question, and of whom, is for the rooms above.

mod account_kind;
pub mod amount;
mod block;
mod effect;
mod fresh;
mod functions;
mod query;
mod render;
mod revert;

pub use account_kind::AccountKind;
pub use block::{Block, BlockHash, BlockRef, BlockTag, Header, TxHash, WireHeader};
pub use effect::{Keys, TokenChange, Write};
pub use fresh::{Assumed, Fresh};
pub use functions::{FoundFunction, functions, selectors};
pub use query::{Answer, Query, Readings, cut_for_display};
pub use query::{FoundLogs, LogFilter};
pub use render::{AddressBook, abbreviated};
pub use render::{called, render, shortened};
pub use revert::{Reason, decode_revert};
