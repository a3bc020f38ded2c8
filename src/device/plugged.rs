//! Which of the Ledgers that are plugged in. Pure.

use std::fmt;

use super::DeviceError;
use super::transport::Model;

/// A Ledger that is plugged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plugged {
    pub model: Model,
    /// Many Ledgers have the same one.
    pub serial: Option<String>,
    /// Where the system has it: its own for each, and another one whenever an app is opened or left.
    pub path: String,
}

impl fmt::Display for Plugged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.serial {
            Some(serial) => write!(f, "{} with serial {serial} at {}", self.model, self.path),
            None => write!(f, "{} at {}", self.model, self.path),
        }
    }
}

impl Plugged {
    /// What tells it from all others: its serial number, or its path where another one has the same number.
    #[must_use]
    pub fn own_name(&self, all: &[Self]) -> &str {
        match &self.serial {
            Some(serial) if all.iter().filter(|other| other.serial == self.serial).count() == 1 => serial,
            _ => &self.path,
        }
    }
}

/// The one that is meant: the only one, or the one with this serial number or path.
///
/// # Errors
/// When there is none, none such, or more than one.
pub fn meant<'a>(all: &'a [Plugged], wanted: Option<&str>) -> Result<&'a Plugged, DeviceError> {
    let told = || all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let is_it = |one: &&Plugged| {
        wanted.is_none_or(|wanted| one.path == wanted || one.serial.as_deref() == Some(wanted))
    };
    let fitting: Vec<&Plugged> = all.iter().filter(is_it).collect();
    match (fitting.as_slice(), wanted) {
        ([one], _) => Ok(one),
        ([], Some(wanted)) if !all.is_empty() => {
            Err(DeviceError::NoSuchLedger { wanted: wanted.into(), found: told() })
        }
        ([], _) => Err(DeviceError::NotPluggedIn),
        _ => Err(DeviceError::Several(told())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plugged(serial: &str, path: &str) -> Plugged {
        Plugged { model: Model::NanoX, serial: Some(serial.into()), path: path.into() }
    }

    #[test]
    fn the_only_one_needs_no_name_and_one_of_several_does() {
        let all = [plugged("0001", "/dev/hidraw3"), plugged("0002", "/dev/hidraw5")];
        assert!(matches!(meant(&[], None), Err(DeviceError::NotPluggedIn)));
        assert!(matches!(meant(&[], Some("0001")), Err(DeviceError::NotPluggedIn)));
        assert_eq!(meant(&all[..1], None).unwrap(), &all[0]);
        assert_eq!(meant(&all, Some("0002")).unwrap(), &all[1]);
        assert_eq!(meant(&all, Some("/dev/hidraw3")).unwrap(), &all[0]);
        let several = meant(&all, None).unwrap_err().to_string();
        for said in ["--ledger-serial", "0001", "0002", "/dev/hidraw3", "/dev/hidraw5", "Nano X"] {
            assert!(several.contains(said), "{several}");
        }
        let none = meant(&all, Some("0003")).unwrap_err();
        assert!(none.passes() && none.to_string().contains("0003"), "{none}");
    }

    #[test]
    fn ledgers_with_one_serial_number_are_told_apart_by_their_paths() {
        let all = [plugged("0001", "/dev/hidraw3"), plugged("0001", "/dev/hidraw5"), plugged("7", "c")];
        assert!(matches!(meant(&all, Some("0001")), Err(DeviceError::Several(_))));
        let names: Vec<&str> = all.iter().map(|one| one.own_name(&all)).collect();
        assert_eq!(names, ["/dev/hidraw3", "/dev/hidraw5", "7"]);
        for (one, name) in all.iter().zip(names) {
            assert_eq!(meant(&all, Some(name)).unwrap(), one);
        }
    }
}
