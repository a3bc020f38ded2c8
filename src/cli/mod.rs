//! The command line: the flags that several commands share, a shell's completions, suggestions for a mistyped word, and the
//! texts of the help.
//!
//! May touch values, and the reader's own files for completions. It does not know the commands: they are handed to it.

pub mod args;
pub mod command_line;
pub mod complete;
pub mod manual;
pub mod suggest;
pub mod topics;
