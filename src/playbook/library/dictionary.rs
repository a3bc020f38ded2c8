//! Calls and events in words, by the signatures that the reader's own playbooks hold and those that every council
//! meets. Pure.
//!
//! A selector is four bytes and can be had by trying: the words say what a call would be, and prove nothing.

use std::collections::BTreeMap;

use alloy::dyn_abi::{DynSolValue, EventExt, JsonAbiExt};
use alloy::json_abi::{Event, Function};
use alloy::primitives::{B256, Log, Selector};

use crate::evm::{AddressBook, render, shortened};
use crate::playbook::Playbook;

/// Sources: Safe contracts 1.0.0 – 1.5.0, OpenZeppelin Contracts 5.x, ERC-20, ERC-721, ERC-1155, ERC-1271.
const FUNCTIONS: [&str; 41] = [
    "execTransaction(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas,uint256 gasPrice,address gasToken,address refundReceiver,bytes signatures)",
    "multiSend(bytes transactions)",
    "checkTransaction(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas,uint256 gasPrice,address gasToken,address refundReceiver,bytes signatures,address msgSender)",
    "checkAfterExecution(bytes32 hash,bool success)",
    "checkModuleTransaction(address to,uint256 value,bytes data,uint8 operation,address module)",
    "checkAfterModuleExecution(bytes32 hash,bool success)",
    "execTransactionFromModule(address to,uint256 value,bytes data,uint8 operation)",
    "addOwnerWithThreshold(address owner,uint256 threshold)",
    "removeOwner(address prevOwner,address owner,uint256 threshold)",
    "swapOwner(address prevOwner,address oldOwner,address newOwner)",
    "changeThreshold(uint256 threshold)",
    "enableModule(address module)",
    "disableModule(address prevModule,address module)",
    "setGuard(address guard)",
    "setModuleGuard(address moduleGuard)",
    "setFallbackHandler(address handler)",
    "supportsInterface(bytes4 interfaceId)",
    "isValidSignature(bytes32 hash,bytes signature)",
    "transfer(address to,uint256 amount)",
    "transferFrom(address from,address to,uint256 amount)",
    "approve(address spender,uint256 amount)",
    "safeTransferFrom(address from,address to,uint256 tokenId)",
    "setApprovalForAll(address operator,bool approved)",
    "balanceOf(address owner)",
    "allowance(address owner,address spender)",
    "owner()",
    "paused()",
    "hasRole(bytes32 role,address account)",
    "getRoleAdmin(bytes32 role)",
    "grantRole(bytes32 role,address account)",
    "revokeRole(bytes32 role,address account)",
    "transferOwnership(address newOwner)",
    "acceptOwnership()",
    "renounceOwnership()",
    "upgradeTo(address implementation)",
    "upgradeToAndCall(address implementation,bytes data)",
    "changeAdmin(address newAdmin)",
    "implementation()",
    "proxiableUUID()",
    "canCall(address caller,address target,bytes4 selector)",
    "pause()",
];

/// Sources: as above.
const EVENTS: [&str; 36] = [
    "ExecutionSuccess(bytes32 indexed txHash,uint256 payment)",
    "ExecutionSuccess(bytes32 txHash,uint256 payment)",
    "ExecutionFailure(bytes32 indexed txHash,uint256 payment)",
    "ExecutionFailure(bytes32 txHash,uint256 payment)",
    "ExecutionFromModuleSuccess(address indexed module)",
    "ExecutionFromModuleFailure(address indexed module)",
    "SafeReceived(address indexed sender,uint256 value)",
    "SafeMultiSigTransaction(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas,uint256 gasPrice,address gasToken,address refundReceiver,bytes signatures,bytes additionalInfo)",
    "AddedOwner(address indexed owner)",
    "AddedOwner(address owner)",
    "RemovedOwner(address indexed owner)",
    "RemovedOwner(address owner)",
    "ChangedThreshold(uint256 threshold)",
    "EnabledModule(address indexed module)",
    "EnabledModule(address module)",
    "DisabledModule(address indexed module)",
    "DisabledModule(address module)",
    "ChangedGuard(address indexed guard)",
    "ChangedGuard(address guard)",
    "ChangedFallbackHandler(address indexed handler)",
    "ChangedFallbackHandler(address handler)",
    "Paused(address account)",
    "Unpaused(address account)",
    "OwnershipTransferred(address indexed previousOwner,address indexed newOwner)",
    "OwnershipTransferStarted(address indexed previousOwner,address indexed newOwner)",
    "RoleGranted(bytes32 indexed role,address indexed account,address indexed sender)",
    "RoleRevoked(bytes32 indexed role,address indexed account,address indexed sender)",
    "Upgraded(address indexed implementation)",
    "AdminChanged(address previousAdmin,address newAdmin)",
    "BeaconUpgraded(address indexed beacon)",
    "Initialized(uint64 version)",
    "Transfer(address indexed from,address indexed to,uint256 value)",
    "Transfer(address indexed from,address indexed to,uint256 indexed tokenId)",
    "Approval(address indexed owner,address indexed spender,uint256 value)",
    "ApprovalForAll(address indexed owner,address indexed operator,bool approved)",
    "CallExecuted(bytes32 indexed id,uint256 indexed index,address target,uint256 value,bytes data)",
];

/// Bytes that are read into values: nested lists can point at each other, and come to far more than they are.
const MOST_DECODED: usize = 8 << 10;

/// The names of calls and events.
#[derive(Clone, Debug, Default)]
pub struct Dictionary {
    functions: BTreeMap<Selector, Function>,
    /// By the first topic and how many topics follow: one event may be indexed in two ways.
    events: BTreeMap<(B256, usize), Event>,
}

impl Dictionary {
    /// Returns the well-known names, and those of some playbooks: the earlier goes before the later.
    pub fn new<'p>(playbooks: impl IntoIterator<Item = &'p Playbook>) -> Self {
        let mut words = Self::default();
        FUNCTIONS.iter().filter_map(|text| Function::parse(text).ok()).for_each(|f| words.add_function(&f));
        EVENTS.iter().filter_map(|text| Event::parse(text).ok()).for_each(|e| words.add_event(&e));
        for playbook in playbooks {
            words.add(playbook);
        }
        words
    }

    fn add(&mut self, playbook: &Playbook) {
        playbook.functions().for_each(|function| self.add_function(function));
        playbook.events().for_each(|event| self.add_event(event));
    }

    fn add_function(&mut self, function: &Function) {
        self.functions.entry(function.selector()).or_insert_with(|| function.clone());
    }

    fn add_event(&mut self, event: &Event) {
        let indexed = event.inputs.iter().filter(|input| input.indexed).count();
        self.events.entry((event.selector(), indexed)).or_insert_with(|| event.clone());
    }

    /// Returns the signature of a function; `None` if it is not known.
    pub fn signature(&self, selector: Selector) -> Option<String> {
        self.functions.get(&selector).map(Function::signature)
    }

    /// `setFee(newFee 30)`; nothing for a call that is not known, or whose data is not as its signature says.
    pub fn call(&self, data: &[u8], names: &AddressBook) -> Option<String> {
        let (selector, arguments) = (Selector::try_from(data.get(..4)?).ok()?, data.get(4..)?);
        let function = self.functions.get(&selector).filter(|_| data.len() <= MOST_DECODED)?;
        let values = function.abi_decode_input(arguments).ok()?;
        let arguments = function.inputs.iter().map(|input| input.name.as_str()).zip(&values);
        Some(describe(&function.name, arguments, names))
    }

    /// `Paused(account 0x… (guardian))`; nothing for an event that is not known.
    pub fn event(&self, log: &Log, names: &AddressBook) -> Option<String> {
        let event = self.events.get(&(*log.topics().first()?, log.topics().len() - 1));
        let event = event.filter(|_| log.data.data.len() <= MOST_DECODED)?;
        let decoded = event.decode_log(&log.data).ok()?;
        let (mut indexed, mut body) = (decoded.indexed.iter(), decoded.body.iter());
        let values = event.inputs.iter().filter_map(|input| {
            let value = if input.indexed { indexed.next() } else { body.next() };
            Some((input.name.as_str(), value?))
        });
        Some(describe(&event.name, values.collect::<Vec<_>>(), names))
    }
}

fn describe<'v>(
    name: &str,
    arguments: impl IntoIterator<Item = (&'v str, &'v DynSolValue)>,
    names: &AddressBook,
) -> String {
    let argument = |(name, value): (&str, &DynSolValue)| {
        let value = match value {
            DynSolValue::Bytes(bytes) => shortened(bytes),
            other => render(other, Some(names)),
        };
        if name.is_empty() { value } else { format!("{name} {value}") }
    };
    format!("{name}({})", arguments.into_iter().map(argument).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{Address, Bytes, U256, hex, keccak256};
    use alloy::sol_types::SolValue;

    use super::*;
    use crate::playbook::Catalogue;

    const WHO: Address = Address::repeat_byte(7);

    fn words() -> Dictionary {
        Dictionary::new([])
    }

    #[test]
    fn every_line_is_a_signature() {
        let words = words();
        assert_eq!(words.functions.len(), FUNCTIONS.len());
        assert_eq!(words.events.len(), EVENTS.len());
    }

    #[test]
    fn a_call_is_said_with_the_readers_names() {
        let names: AddressBook = [("bob".to_string(), WHO)].into_iter().collect();
        let data =
            [&keccak256("transfer(address,uint256)")[..4], &(WHO, U256::from(5)).abi_encode()].concat();
        let describe = words().call(&data, &names);
        assert_eq!(describe, Some(format!("transfer(to {WHO} (bob), amount 5)")));
        assert_eq!(words().call(&data[..20], &names), None);
        assert_eq!(words().call(&hex!("01020304"), &names), None);
        assert_eq!(words().call(&[], &names), None);
    }

    #[test]
    fn an_event_is_told_apart_by_how_it_is_indexed() {
        let topic = keccak256("Transfer(address,address,uint256)");
        let (from, to) = (WHO.into_word(), Address::ZERO.into_word());
        let five = B256::from(U256::from(5));
        let coin = Log::new_unchecked(WHO, vec![topic, from, to], five.into());
        let item = Log::new_unchecked(WHO, vec![topic, from, to, five], Bytes::new());
        let say = |log: &Log| words().event(log, &AddressBook::default()).unwrap();
        assert!(say(&coin).ends_with("value 5)") && say(&item).ends_with("tokenId 5)"), "{}", say(&coin));
        let bare = Log::new_unchecked(WHO, vec![], Bytes::new());
        assert_eq!(words().event(&bare, &AddressBook::default()), None);
    }

    #[test]
    fn a_playbooks_own_functions_and_views_are_known() {
        let library = Catalogue::new(Vec::new());
        let [pause, undo] = ["pause/oz-pausable", "pause/oz-pausable-undo"]
            .map(|id| library.get(id).map(|entry| entry.playbook.clone()).unwrap());
        let data = &keccak256("unpause()")[..4];
        let describe = |playbooks: &[&Playbook]| {
            Dictionary::new(playbooks.iter().copied()).call(data, &AddressBook::default())
        };
        assert_eq!(describe(&[&pause]), None);
        assert_eq!(describe(&[&pause, &undo]).as_deref(), Some("unpause()"));
    }
}
