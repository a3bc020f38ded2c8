//! The command line: the flags that several commands share, a shell's completions, and suggestions for a mistyped word.
//!
//! May touch values, and the reader's own files for completions. It does not know the commands: they are handed to it.

pub mod args;
pub mod complete;
pub mod suggest;
