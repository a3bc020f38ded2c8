//! Where a device breaks a value into lines: before the character that would pass its width. A space never begins a line.
//!
//! Advances in pixels, read off screens recorded with Ethereum 1.22.0. Digits of decimal and hexadecimal numbers are
//! exact; of the other characters, which only names of networks and fees have, those of a Nano.

use crate::device::plugged::Model;

/// The characters of [`Large::advances`], in their order.
const DIGITS: &str = "0123456789ABCDEFabcdefx";

/// The font of a value on a large screen.
pub struct Large {
    width: usize,
    advances: [usize; 23],
    narrow: usize,
    other: usize,
}

const STAX: Large = Large {
    width: 352,
    advances: [21, 15, 20, 21, 21, 20, 20, 19, 20, 20, 22, 21, 24, 23, 19, 19, 18, 20, 18, 20, 19, 12, 18],
    narrow: 9,
    other: 20,
};
const FLEX: Large = Large {
    width: 416,
    advances: [23, 17, 22, 23, 24, 22, 23, 21, 23, 23, 25, 24, 26, 26, 22, 21, 21, 23, 20, 23, 21, 13, 20],
    narrow: 10,
    other: 23,
};
const APEX_P: Large = Large {
    width: 268,
    advances: [16, 10, 15, 15, 16, 15, 15, 14, 15, 15, 17, 16, 18, 17, 15, 14, 14, 15, 14, 15, 14, 9, 14],
    narrow: 7,
    other: 15,
};

/// Behind "More" the text is smaller. These advances fit all 69 recorded breaks and may be a pixel off.
const STAX_SMALL: Large = Large {
    advances: [16, 12, 15, 16, 16, 15, 15, 15, 15, 15, 17, 16, 18, 18, 15, 15, 14, 15, 14, 15, 15, 9, 14],
    narrow: 5,
    other: 15,
    ..STAX
};
const FLEX_SMALL: Large = Large {
    advances: [19, 14, 17, 18, 19, 17, 18, 16, 19, 17, 20, 17, 20, 20, 18, 17, 16, 18, 16, 19, 16, 10, 16],
    narrow: 7,
    other: 18,
    ..FLEX
};
const APEX_P_SMALL: Large = Large {
    advances: [12, 8, 11, 12, 12, 12, 12, 10, 11, 11, 13, 12, 14, 13, 11, 11, 11, 11, 11, 11, 11, 7, 11],
    narrow: 7,
    other: 12,
    ..APEX_P
};

pub fn nano_lines(value: &str) -> Vec<String> {
    lines(value, 114, nano)
}

pub fn large_lines(model: Model, value: &str) -> Vec<String> {
    let font = match model {
        Model::Stax => STAX,
        Model::ApexP => APEX_P,
        _ => FLEX,
    };
    lines(value, font.width, |character| font.advance(character))
}

/// The value in the lines behind "More".
pub fn small_lines(model: Model, value: &str) -> Vec<String> {
    let font = match model {
        Model::Stax => STAX_SMALL,
        Model::ApexP => APEX_P_SMALL,
        _ => FLEX_SMALL,
    };
    lines(value, font.width, |character| font.advance(character))
}

impl Large {
    fn advance(&self, character: char) -> usize {
        match DIGITS.find(character) {
            Some(at) => self.advances[at],
            None if matches!(character, ' ' | '.' | ',' | 'i' | 'l') => self.narrow,
            None => self.other,
        }
    }
}

fn lines(value: &str, width: usize, advance: impl Fn(char) -> usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for character in value.chars() {
        let advance = advance(character);
        if used + advance > width && character != ' ' {
            lines.push(String::new());
            used = 0;
        }
        used += advance;
        if let Some(line) = lines.last_mut() {
            line.push(character);
        }
    }
    lines
}

/// Open Sans 11.
const fn nano(character: char) -> usize {
    match character {
        'i' | 'l' | 'I' | ' ' | '.' | ',' | ':' => 3,
        'r' | 't' | 'j' | 'J' => 4,
        'c' | 'f' | 's' | 'z' => 5,
        'A' | 'B' | 'C' | 'K' | 'P' | 'R' | 'T' | 'V' | 'b' | 'd' | 'h' | 'n' | 'o' | 'p' | 'q' | 'u' => 7,
        '4' | 'D' | 'G' | 'H' | 'N' | 'U' => 8,
        'O' | 'Q' | 'w' => 9,
        'M' | 'W' | 'm' => 10,
        _ => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of one digit would all be as wide: a hash with narrow and wide ones, as each model breaks it.
    #[test]
    fn a_hash_breaks_where_the_device_breaks_it() {
        let hash = "0xFEF32A84D5D7833A8C5DD3DF28EEEAED7D9332775F6A29C6673D479F57315FEB";
        let nano = ["0xFEF32A84D5D7833", "A8C5DD3DF28EEEAED", "7D9332775F6A29C667", "3D479F57315FEB"];
        assert_eq!(nano_lines(hash), nano);
        let stax = ["0xFEF32A84D5D7833", "A8C5DD3DF28EEEAE", "D7D9332775F6A29C6", "673D479F57315FEB"];
        assert_eq!(large_lines(Model::Stax, hash), stax);
        let flex = ["0xFEF32A84D5D7833A", "8C5DD3DF28EEEAED7", "D9332775F6A29C6673", "D479F57315FEB"];
        assert_eq!(large_lines(Model::Flex, hash), flex);
    }

    #[test]
    fn a_space_stays_at_the_end_of_its_line() {
        assert_eq!(nano_lines("0.00008755967859491 ETH"), ["0.00008755967859491 ", "ETH"]);
    }
}
