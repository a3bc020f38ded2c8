//! One line from the terminal, in which Ctrl-C is an answer and not the end of the process: however the question ends,
//! the terminal is left as it was found, and a password typed unseen does not leave it mute. dialoguer asks only where
//! there are no Unix terminals: its prompts do not restore one after Ctrl-C.

use std::io::{self, Stdin, Write};

use rustix::io::{Errno, read};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

const CTRL_C: u8 = 3;
/// The longest line that a terminal hands over.
const LONGEST: usize = 4096;

/// Puts the terminal back.
struct Restore<'a> {
    terminal: &'a Stdin,
    before: Termios,
}

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Drain, &self.before);
    }
}

/// Asks for a line; nothing when the person pressed Ctrl-C or Ctrl-D instead.
pub(super) fn ask(question: &str, shown: bool) -> io::Result<Option<Zeroizing<String>>> {
    let terminal = &io::stdin();
    let before = tcgetattr(terminal)?;
    let mut asking = before.clone();
    asking.local_modes.remove(LocalModes::ISIG);
    asking.local_modes.insert(LocalModes::ICANON);
    asking.local_modes.set(LocalModes::ECHO, shown);
    asking.special_codes[SpecialCodeIndex::VEOL] = CTRL_C;
    let _restore = Restore { terminal, before };
    // Keys typed before the question are not an answer to it.
    tcsetattr(terminal, OptionalActions::Flush, &asking)?;
    let mut screen = io::stderr();
    write!(screen, "{question}: ")?;
    screen.flush()?;
    // The standard library's own reader would keep a copy of the password.
    let mut line = Zeroizing::new(vec![0; LONGEST]);
    let length = loop {
        match read(terminal, line.as_mut_slice()) {
            Err(Errno::INTR) => {}
            other => break other?,
        }
    };
    let line = line.get(..length).unwrap_or_default();
    if !shown || !line.ends_with(b"\n") {
        writeln!(screen)?;
    }
    if line.is_empty() || line.ends_with(&[CTRL_C]) {
        return Ok(None);
    }
    let text = std::str::from_utf8(line).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
    Ok(Some(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_string())))
}
