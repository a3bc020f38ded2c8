//! Which of the Ledgers that are plugged in. Pure.

use std::fmt;
use std::str::FromStr;

use super::device_error::{DeviceError, OneOfSeveral};

/// A Ledger model, where it can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    NanoS,
    NanoX,
    NanoSPlus,
    Stax,
    Flex,
    /// Also sold as Nano Gen5.
    ApexP,
    Other,
}

impl Model {
    pub(super) const fn of(model: coins_ledger::Model) -> Self {
        match model {
            coins_ledger::Model::NanoS => Self::NanoS,
            coins_ledger::Model::NanoX => Self::NanoX,
            coins_ledger::Model::NanoSPlus => Self::NanoSPlus,
            coins_ledger::Model::Stax => Self::Stax,
            coins_ledger::Model::Flex => Self::Flex,
            // Source: @ledgerhq/devices 8.18.1, "Ledger Nano Gen5": productIdMM 0x80, in its bootloader 0x0008.
            coins_ledger::Model::Unknown(0x0008 | 0x8000..=0x80ff) => Self::ApexP,
            _ => Self::Other,
        }
    }

    /// Returns `true` for a touch screen, which shows several values on one page.
    pub const fn is_large(self) -> bool {
        matches!(self, Self::Stax | Self::Flex | Self::ApexP)
    }
}

impl FromStr for Model {
    type Err = DeviceError;

    /// `nanos`, `nanox`, `nanosp`, `stax`, `flex` or `apex_p`: the emulator's names.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "nanos" => Ok(Self::NanoS),
            "nanox" => Ok(Self::NanoX),
            "nanosp" => Ok(Self::NanoSPlus),
            "stax" => Ok(Self::Stax),
            "flex" => Ok(Self::Flex),
            "apex_p" => Ok(Self::ApexP),
            _ => Err(DeviceError::BadModel(text.into())),
        }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NanoS => "Nano S",
            Self::NanoX => "Nano X",
            Self::NanoSPlus => "Nano S Plus",
            Self::Stax => "Stax",
            Self::Flex => "Flex",
            Self::ApexP => "Apex P",
            Self::Other => "another model",
        })
    }
}

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
    /// Returns the name that tells it from all others: its serial number, or its path where another one has the same number.
    fn own_name(&self, all: &[Self]) -> &str {
        match &self.serial {
            Some(serial) if all.iter().filter(|other| other.serial == self.serial).count() == 1 => serial,
            _ => &self.path,
        }
    }
}

/// The one that is meant: the only one, or the one with this serial number or path.
/// Fails if there is none, none such, or more than one.
pub fn choose_plugged<'a>(all: &'a [Plugged], wanted: Option<&str>) -> Result<&'a Plugged, DeviceError> {
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
        _ => Err(DeviceError::Several(
            all.iter()
                .map(|one| OneOfSeveral { shown: one.to_string(), name: one.own_name(all).into() })
                .collect(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plugged(serial: &str, path: &str) -> Plugged {
        Plugged { model: Model::NanoX, serial: Some(serial.into()), path: path.into() }
    }

    /// By the first byte of its USB number; coins-ledger does not know it.
    #[test]
    fn an_apex_p_is_known() {
        for (id, model) in [(0x8011, Model::ApexP), (0x0008, Model::ApexP), (0x9011, Model::Other)] {
            assert_eq!(Model::of(coins_ledger::Model::Unknown(id)), model, "{id:#06x}");
        }
        assert!(Model::ApexP.is_large() && !Model::Other.is_large());
    }

    #[test]
    fn the_only_one_needs_no_name_and_one_of_several_does() {
        let all = [plugged("0001", "/dev/hidraw3"), plugged("0002", "/dev/hidraw5")];
        assert!(matches!(choose_plugged(&[], None), Err(DeviceError::NotPluggedIn)));
        assert!(matches!(choose_plugged(&[], Some("0001")), Err(DeviceError::NotPluggedIn)));
        assert_eq!(choose_plugged(&all[..1], None).unwrap(), &all[0]);
        assert_eq!(choose_plugged(&all, Some("0002")).unwrap(), &all[1]);
        assert_eq!(choose_plugged(&all, Some("/dev/hidraw3")).unwrap(), &all[0]);
        let several = choose_plugged(&all, None).unwrap_err().to_string();
        for said in ["--ledger-serial", "0001", "0002", "/dev/hidraw3", "/dev/hidraw5", "Nano X"] {
            assert!(several.contains(said), "{several}");
        }
        let none = choose_plugged(&all, Some("0003")).unwrap_err();
        assert!(none.passes() && none.to_string().contains("0003"), "{none}");
    }

    #[test]
    fn ledgers_with_one_serial_number_are_told_apart_by_their_paths() {
        let all = [plugged("0001", "/dev/hidraw3"), plugged("0001", "/dev/hidraw5"), plugged("7", "c")];
        assert!(matches!(choose_plugged(&all, Some("0001")), Err(DeviceError::Several(_))));
        let names: Vec<&str> = all.iter().map(|one| one.own_name(&all)).collect();
        assert_eq!(names, ["/dev/hidraw3", "/dev/hidraw5", "7"]);
        for (one, name) in all.iter().zip(names) {
            assert_eq!(choose_plugged(&all, Some(name)).unwrap(), one);
        }
    }
}
