//! `council add`: one entry more in the council file. The whole file is checked before it is written.

use alloy::primitives::Address;
use clap::Subcommand;
use clap_complete::ArgValueCompleter;
use toml::Table;

use crate::cli::args::{ARGUMENTS, parse_set};
use crate::cli::complete;
use crate::council::{EntryKind, NewEntry, RpcAddress};
use crate::error::{Error, Exit};
use crate::safe::parse_address;
use crate::session::{Session, council_init};

const EXAMPLES: &str = "\
Examples:
  breakglass council add signer alice 0x…
  breakglass council add target vault 0x…
  breakglass council add lever vault pause/oz-pausable target=vault";

#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true, after_help = EXAMPLES)]
pub enum Args {
    /// Add a chain, by its id
    #[command(after_help = "Examples:\n  breakglass council add chain base 8453 --rpc '${BASE_RPC}'")]
    Chain {
        /// Its name
        #[arg(help_heading = ARGUMENTS)]
        name: String,
        /// Its chain id
        #[arg(help_heading = ARGUMENTS)]
        id: u32,
        /// An RPC address; may be given again
        ///
        /// '${NAME}', in single quotes, for one that an environment variable holds, as one with a key should be.
        #[arg(long, value_name = "URL", help_heading = "What")]
        rpc: Vec<String>,
    },
    /// Add a Safe, with owners, threshold and all else as the chain has them
    #[command(after_help = "Examples:\n  breakglass council add safe guardian 0x… --chain base")]
    Safe {
        #[command(flatten)]
        named: NamedAddressArgs,
        /// The chain's name in the council file [default: the only one]
        #[arg(long, value_name = "NAME", help_heading = "What")]
        chain: Option<String>,
    },
    /// Add a signer
    #[command(after_help = "Examples:\n  breakglass council add signer alice 0x…")]
    Signer {
        #[command(flatten)]
        named: NamedAddressArgs,
        /// Derivation path on the hardware wallet
        #[arg(long, value_name = "PATH", help_heading = "What")]
        path: Option<String>,
    },
    /// Add a contract of the protocol, or its address on one more chain
    #[command(after_help = "Examples:\n  breakglass council add target vault 0x… --chain base")]
    Target {
        #[command(flatten)]
        named: NamedAddressArgs,
        /// The chain's name in the council file [default: the only one]
        #[arg(long, value_name = "NAME", help_heading = "What")]
        chain: Option<String>,
    },
    /// Add a lever: a playbook bound to a Safe and arguments
    #[command(
        after_help = "Examples:\n  breakglass council add lever vault pause/oz-pausable target=vault --safe guardian"
    )]
    Lever {
        /// Its name
        #[arg(help_heading = ARGUMENTS)]
        name: String,
        /// The playbook's id
        #[arg(help_heading = ARGUMENTS, add = ArgValueCompleter::new(complete::playbooks))]
        playbook: String,
        /// Arguments of the playbook; those left out stay open
        #[arg(value_name = "NAME=VALUE", help_heading = ARGUMENTS, value_parser = parse_set)]
        set: Vec<(String, String)>,
        /// The Safe that pulls it [default: the only one]
        #[arg(long, value_name = "NAME", help_heading = "What", add = ArgValueCompleter::new(complete::safes))]
        safe: Option<String>,
    },
    /// Add a person to wake, by the signer's name if they sign
    #[command(
        after_help = "Examples:\n  breakglass council add person bob --reach 'phone +49 …' --zone Europe/Berlin"
    )]
    Person {
        /// Their name
        #[arg(help_heading = ARGUMENTS)]
        name: String,
        /// A phone number, messenger or other way to reach them
        #[arg(long, value_name = "TEXT", help_heading = "What")]
        reach: String,
        /// Their role
        #[arg(long, value_name = "TEXT", help_heading = "What")]
        role: Option<String>,
        /// Their time zone, such as Europe/Berlin
        #[arg(long, value_name = "ZONE", help_heading = "What")]
        zone: Option<String>,
        /// The person to call while they are away
        #[arg(long, value_name = "NAME", help_heading = "What")]
        backup: Option<String>,
    },
}

#[derive(Debug, clap::Args)]
pub struct NamedAddressArgs {
    /// Its name
    #[arg(help_heading = ARGUMENTS)]
    name: String,
    /// Its address
    #[arg(help_heading = ARGUMENTS, value_parser = parse_address)]
    address: Address,
}

pub fn run(session: &Session, args: &Args) -> Result<Exit, Error> {
    council_init::add(session, &entry(session, args)?)
}

fn entry(session: &Session, args: &Args) -> Result<NewEntry, Error> {
    Ok(match args {
        Args::Chain { name, id, rpc } => {
            rpc.iter().try_for_each(|url| RpcAddress::without_key(url).map(drop))?;
            NewEntry::new(EntryKind::Chain, name, [("id", (*id).into()), ("rpc", rpc.clone().into())])
        }
        Args::Safe { named, chain } => {
            let chain = session.only_chain(chain.as_deref())?;
            let fields = session.fields_of_safe(chain, named.address)?;
            NewEntry { kind: EntryKind::Safe, name: named.name.clone(), fields }
        }
        Args::Signer { named, path } => {
            let address = named.address.to_string();
            let texts = [("address", Some(address.as_str())), ("path", path.as_deref())];
            NewEntry::of_texts(EntryKind::Signer, &named.name, &texts)
        }
        Args::Target { named, chain } => {
            let (chain, address) = (session.only_chain(chain.as_deref())?, named.address.to_string());
            NewEntry::of_texts(EntryKind::Target, &named.name, &[(&chain.name, Some(&address))])
        }
        Args::Lever { name, playbook, set, safe } => {
            let safe = session.only_safe(safe.as_deref())?;
            let set: Table = set.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect();
            let set = (!set.is_empty()).then(|| ("set", set.into()));
            let fields = [("playbook", playbook.as_str().into()), ("safe", safe.name.as_str().into())];
            NewEntry::new(EntryKind::Lever, name, fields.into_iter().chain(set))
        }
        Args::Person { name, reach, role, zone, backup } => {
            let texts = [("reach", Some(reach)), ("role", role.as_ref()), ("zone", zone.as_ref())];
            let texts = texts.into_iter().chain([("backup", backup.as_ref())]);
            let texts: Vec<_> = texts.map(|(key, text)| (key, text.map(String::as_str))).collect();
            NewEntry::of_texts(EntryKind::Person, name, &texts)
        }
    })
}
