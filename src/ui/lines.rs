//! Lines for a person, put together before anything is shown. Pure.

use super::Text;

/// Lines in their order. What fills them shows nothing: [`Ui::show`](super::Ui::show) does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines(Vec<Text>);

impl Lines {
    pub fn say(&mut self, line: &Text) {
        self.0.push(line.clone());
    }

    pub fn blank(&mut self) {
        self.0.push(Text::default());
    }

    pub fn iter(&self) -> impl Iterator<Item = &Text> {
        self.0.iter()
    }
}

impl FromIterator<Text> for Lines {
    fn from_iter<T: IntoIterator<Item = Text>>(lines: T) -> Self {
        Self(lines.into_iter().collect())
    }
}

impl<const N: usize> From<[Text; N]> for Lines {
    fn from(lines: [Text; N]) -> Self {
        Self(lines.into())
    }
}
