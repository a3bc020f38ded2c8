//! The rule by which Linux lets a user open a Ledger.

/// The udev rule that lets whoever sits at a Linux machine open a Ledger. Its number must be below 73, where `uaccess`
/// is applied.
pub const UDEV_RULE: &str = "\
KERNEL==\"hidraw*\", ATTRS{idVendor}==\"2c97\", MODE=\"0660\", TAG+=\"uaccess\"
SUBSYSTEMS==\"usb\", ATTRS{idVendor}==\"2c97\", MODE=\"0660\", TAG+=\"uaccess\"
";
/// Where that rule goes.
pub const UDEV_RULE_PATH: &str = "/etc/udev/rules.d/60-ledger.rules";

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: systemd's 73-seat-late.rules, which gives what is tagged `uaccess` by then to whoever sits there.
    #[test]
    fn the_udev_rule_covers_every_ledger_and_comes_in_time() {
        let number = UDEV_RULE_PATH.strip_prefix("/etc/udev/rules.d/").and_then(|name| name.split_once('-'));
        assert!(number.is_some_and(|(number, _)| number.parse::<u8>().is_ok_and(|n| n < 73)));
        let rules: Vec<&str> = UDEV_RULE.lines().collect();
        assert_eq!(rules.len(), 2);
        for rule in rules {
            let (conditions, gives) = rule.split_once(", MODE=").unwrap();
            assert!(conditions.ends_with("ATTRS{idVendor}==\"2c97\"") && !conditions.contains("idProduct"));
            assert_eq!(gives, "\"0660\", TAG+=\"uaccess\"");
        }
    }
}
