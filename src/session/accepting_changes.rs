//! Questions before any review: does the reader accept a changed council file or playbook?

use crate::ceremony::enforce::CHANGED;
use crate::ceremony::folder::texts::{News, PinnedText, Rests, Texts};
use crate::error::{Error, Exit};
use crate::session::Session;
use crate::ui::Text;
use crate::view::review_lines::changed_texts;

impl Session<'_> {
    /// Asks for a yes to each text that changed since it was accepted, and shows the digests of texts that are used for
    /// the first time. An accepted text is recorded, and not asked about again.
    pub fn require_accepted(&self, rests: &[Rests], ids: &[String]) -> Result<(), Error> {
        let found = Texts::of(self, rests)?;
        let flags = found.flags(ids);
        let mut accepted = Vec::new();
        for (item, news) in found.news() {
            self.ui.show(&changed_texts::lines(item, &news));
            if matches!(news, News::FirstUse) {
                continue;
            }
            if !item.is_accepted_by(ids) {
                self.ask(item, news.is_whole(), &flags)?;
            }
            self.ui.say(&Text::default().good("accepted: ").add(&item.name));
            accepted.push(format!("{CHANGED}{}", item.now.digest.digits()));
        }
        found.accept();
        self.note_accepted(&accepted, None);
        Ok(())
    }

    fn ask(&self, item: &PinnedText, whole: bool, flags: &str) -> Result<(), Error> {
        let digits = item.now.digest.digits();
        let is_accepted = if whole {
            self.ui.confirmed("Is this change what your council agreed on? Type yes", flags)?
        } else {
            // A person who has not seen all of it has to compare the digest.
            let question = format!("Not all of it is shown. Compare the files; then type {digits}");
            self.ui.typed(&question, &digits, flags)?
        };
        if is_accepted {
            return Ok(());
        }
        Err(Error::new(Exit::Refused, format!("the change of {} was not accepted", item.name)).hint(
            "nothing was signed; ask in person who changed it, and compare its digest with a colleague",
        ))
    }

    /// Shows one line for each text that changed: for a command that signs and sends nothing.
    pub fn note_changes(&self, rests: &[Rests]) -> Result<(), Error> {
        for (item, news) in Texts::of(self, rests)?.news() {
            if let News::Changed(_) = news {
                let text = format!("{} changed since you accepted it; sign shows the difference", item.name);
                self.ui.say(&Text::default().warn("note: ").add(&text));
            }
        }
        Ok(())
    }
}
