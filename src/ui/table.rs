//! Tables in which no address, hash or name is broken: columns that are too narrow for one become lines below each other.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use unicode_width::UnicodeWidthStr;

use super::text::bounded;

/// The longest word that is kept whole: 32 bytes in hexadecimal, with 0x. Longer data is broken anywhere.
const LONGEST_WHOLE: usize = 66;
/// The spaces around a cell.
const PADDING: usize = 2;

/// Returns the table in this many columns. Cells are made visible.
pub(super) fn render(header: &[&str], rows: &[Vec<String>], width: u16) -> String {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| bounded(cell)).collect()).collect();
    let header: Vec<String> = header.iter().map(|name| name.to_uppercase()).collect();
    let least = least_widths(&header, &rows);
    if least.len() > 2 && least.iter().map(|least| least + PADDING).sum::<usize>() > usize::from(width) {
        let records = records(&header, &rows);
        return two_columns(&[], &records, width);
    }
    if least.len() == 2 { two_columns(&header, &rows, width) } else { lay_out(&header, &rows, &least, width) }
}

/// Labels and values. A value with a word that has no room beside the longest label stands below its own.
fn two_columns(header: &[String], rows: &[Vec<String>], width: u16) -> String {
    let least = least_widths(header, rows);
    let labels = rows.iter().filter_map(|row| row.first()).map(|label| label.width());
    let label = labels.max().unwrap_or_default().min(usize::from(width) / 2);
    let label = label.max(least.first().copied().unwrap_or_default());
    let room = usize::from(width).saturating_sub(label + 2 * PADDING);
    let fits = |row: &[String]| least_widths(&[], &[row.to_vec()]).get(1).is_none_or(|least| *least <= room);
    if rows.iter().all(|row| fits(row)) {
        return lay_out(header, rows, &least, width);
    }
    let mut pieces = Vec::new();
    for (at, together) in rows.chunk_by(|one, next| fits(one) && fits(next)).enumerate() {
        let header = if at == 0 { header } else { &[] };
        match together {
            [row] if !fits(row) => {
                pieces.extend([lay_out(header, &[row[..1].to_vec()], &[], width), below(&row[1], width)]);
            }
            together => pieces.push(lay_out(header, together, &[label], width)),
        }
    }
    pieces.join("\n")
}

/// A value on lines of its own, a little to the right.
fn below(value: &str, width: u16) -> String {
    const INDENT: &str = "  ";
    let lines = lay_out(&[], &[vec![value.to_string()]], &[], width.saturating_sub(2));
    lines.lines().map(|line| format!("{INDENT}{line}")).collect::<Vec<_>>().join("\n")
}

/// Each row as lines of its own, a name and a value: there is room for every value.
fn records(header: &[String], rows: &[Vec<String>]) -> Vec<Vec<String>> {
    let mut records: Vec<Vec<String>> = Vec::new();
    for row in rows {
        if !records.is_empty() {
            records.push(vec![String::new(), String::new()]);
        }
        let named = row.iter().enumerate().filter(|(_, cell)| !cell.trim().is_empty());
        records
            .extend(named.map(|(at, cell)| vec![header.get(at).cloned().unwrap_or_default(), cell.clone()]));
    }
    records
}

/// The columns of the longest word of each column.
fn least_widths(header: &[String], rows: &[Vec<String>]) -> Vec<usize> {
    let count = rows.iter().map(Vec::len).max().unwrap_or_default().max(header.len());
    let cells = |at: usize| header.get(at).into_iter().chain(rows.iter().filter_map(move |row| row.get(at)));
    let longest = |text: &String| {
        let indent = text.len() - text.trim_start().len();
        text.split_whitespace().map(|word| word.width() + indent).max().unwrap_or_default()
    };
    (0..count).map(|at| cells(at).map(longest).max().unwrap_or_default().min(LONGEST_WHOLE)).collect()
}

fn lay_out(header: &[String], rows: &[Vec<String>], least: &[usize], width: u16) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    if header.iter().any(|name| !name.is_empty()) {
        table.set_header(header);
    }
    for row in rows {
        table.add_row(row);
    }
    for (column, least) in table.column_iter_mut().zip(least) {
        let least = u16::try_from(least + PADDING).unwrap_or(u16::MAX);
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
    }
    table.lines().map(|line| line.trim_end().to_string()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAFE: &str = "0xe26cB48B1Ce98801b8aDf284181727CC87162962";
    const VAULT: &str = "0x12975173B87F7595EE45dFFb2Ab812ECE596Bf84";
    const HASH: &str = "0xB3AFAE9D67D17B85551D1387C72C33BBABCD776F1A2BEBEC22EA2227FF83B83A";

    fn table(header: &[&str], rows: &[&[&str]]) -> String {
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| (*cell).to_string()).collect()).collect();
        render(header, &rows, 80)
    }

    /// Fails if a line is too wide or a word is not on one line.
    fn keeps_whole(text: &str, words: &[&str]) {
        for line in text.lines() {
            assert!(line.width() <= 80, "{text}");
        }
        for word in words {
            assert!(
                text.lines().any(|line| line.split_whitespace().any(|part| part == *word)),
                "{word}\n{text}"
            );
        }
    }

    #[test]
    fn a_long_text_makes_room_for_an_address_beside_it() {
        let what = "Pause every reserve of a market, and all that follows from it for whoever borrows there";
        let name = "rotate/oz-access-control-enumerable-grant";
        let text = table(&["playbook", "what it does", "severity"], &[&[name, what, "P1"]]);
        keeps_whole(&text, &[name, "P1", "SEVERITY"]);
        let text =
            table(&["path", "address", "signer", "owner of"], &[&["m/44'/60'/0'/0/0", SAFE, "alice", what]]);
        keeps_whole(&text, &["m/44'/60'/0'/0/0", SAFE, "alice"]);
    }

    /// Two addresses and a name do not fit beside each other: they stand below each other, each with its name.
    #[test]
    fn columns_that_do_not_fit_are_put_below_each_other() {
        let rows: [&[&str]; 2] = [&["guardian", SAFE, VAULT], &["council", VAULT, HASH]];
        let text = table(&["Safe", "address", "target"], &rows);
        keeps_whole(&text, &[SAFE, VAULT, HASH, "guardian", "TARGET"]);
        assert_eq!(text.lines().filter(|line| line.contains("ADDRESS")).count(), 2, "{text}");
        assert!(text.lines().any(str::is_empty), "{text}");
    }

    /// A value of 32 bytes beside a long label stands whole below it; the rows before and after stay side by side.
    #[test]
    fn a_hash_beside_a_long_label_stands_whole_below_it() {
        let long = "the code at its address";
        let text = table(&["", ""], &[&["Safe", SAFE], &[long, HASH], &["nonce", "42"]]);
        keeps_whole(&text, &[SAFE, HASH, "42"]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines[1].trim(), lines[2]), (long, format!("   {HASH}").as_str()), "{text}");
        let column = |line: &str, word: &str| line.find(word);
        assert_eq!(column(lines[0], SAFE), column(lines[3], "42"), "{text}");
        // With a heading, and where data has no space at all.
        let data = "ab".repeat(300);
        let text = table(&["what it is", "value"], &[&[long, HASH], &[long, &data]]);
        keeps_whole(&text, &[HASH, "VALUE"]);
        assert!(text.matches("ab").count() >= 290, "{text}");
    }

    /// Letters of Asia take two columns, and a mark over a letter none.
    #[test]
    fn wide_letters_count_as_wide() {
        let wide = "金庫".repeat(9);
        let marked = "e\u{301}".repeat(20);
        let text =
            table(&["lever", "target", "state now"], &[&[&wide, SAFE, "x"], &[&marked, SAFE, "running"]]);
        keeps_whole(&text, &[&wide, SAFE, "running"]);
        let address_at = |line: &str| line.find(SAFE).map(|at| line[..at].width());
        let at: Vec<_> = text.lines().filter_map(address_at).collect();
        assert!(at.len() == 2 && at[0] == at[1], "{at:?}\n{text}");
    }

    #[test]
    fn data_without_a_space_is_broken_to_fit() {
        let data = "ab".repeat(300);
        let text = table(&["call", "data"], &[&["pause()", &data]]);
        keeps_whole(&text, &["pause()"]);
        assert!(text.matches("ab").count() >= 290, "{text}");
    }
}
