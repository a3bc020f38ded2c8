//! A call that the Safe may not make: the account that may, as the contract states it.

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::{SolCall, SolError, SolValue};

use crate::ceremony::desk::Desk;
use crate::ceremony::judged::Judged;
use crate::evm::{Answer, Query, Readings, Reason, decode_revert};
use crate::playbook::PlannedCall;

mod abi {
    alloy::sol! {
        /// OpenZeppelin Contracts 5.7.0, `access/Ownable.sol` and `access/AccessControl.sol`.
        error OwnableUnauthorizedAccount(address account);
        error AccessControlUnauthorizedAccount(address account, bytes32 neededRole);
        function owner() external view returns (address);
        /// `access/extensions/AccessControlEnumerable.sol`.
        function getRoleMember(bytes32 role, uint256 index) external view returns (address);
    }
}

/// The texts of the same errors before OpenZeppelin Contracts 5.
const NOT_THE_OWNER: &str = "Ownable: caller is not the owner";
const MISSING_ROLE: &str = "is missing role ";

/// A call that the contract does not let the Safe make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Barred {
    pub contract: Address,
    /// `pause()`
    pub call: String,
    pub to: Entitled,
    /// The holder, as the contract states it; `None` if it does not.
    pub holder: Option<Address>,
}

/// The role that the contract asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, derive_more::Display)]
pub enum Entitled {
    #[display("owner")]
    Owner,
    #[display("role {_0}")]
    Role(B256),
}

impl Entitled {
    /// Returns the question for its holder.
    pub fn query(self, to: Address) -> Query {
        let data = match self {
            Self::Owner => abi::ownerCall {}.abi_encode(),
            Self::Role(role) => abi::getRoleMemberCall { role, index: U256::ZERO }.abi_encode(),
        };
        Query::Call { from: None, to, data: data.into() }
    }
}

/// Returns the first call that the Safe may not make, and asks the contract who may: one round. `None` if no contract
/// refuses the Safe.
pub fn find(desk: &Desk, judged: &Judged) -> Option<Barred> {
    let (plan, seen) = (judged.plan()?, judged.seen.as_ref()?);
    let safe = judged.derived.safe.address;
    let (planned, to) = plan.calls.iter().find_map(|planned| {
        let to = required_role(planned, safe, &seen.snapshot.readings)?;
        Some((planned, to))
    })?;
    let query = to.query(planned.call.to);
    let block = seen.snapshot.header.block();
    let ask = || seen.link.answers(std::slice::from_ref(&query), &block);
    let answers = desk.progress.wait("asking whose it is to do", ask).ok();
    let holder = answers.as_ref().and_then(|answers| address(answers.get(&query)?));
    let name = planned.signature.split('(').next().unwrap_or_default();
    Some(Barred { contract: planned.call.to, call: format!("{name}()"), to, holder })
}

/// Returns the role that the contract requires for a call, if it was tried as the Safe and refused for that.
fn required_role(planned: &PlannedCall, safe: Address, readings: &Readings) -> Option<Entitled> {
    let (to, data) = (planned.call.to, planned.call.data.clone());
    match readings.get(&Query::Call { from: Some(safe), to, data })? {
        Answer::Reverted(data) => entitled(data, safe),
        Answer::Value(_) => None,
    }
}

/// Returns the role that a contract requires, by the error with which it refused the Safe.
pub fn entitled(data: &Bytes, safe: Address) -> Option<Entitled> {
    if let Ok(error) = abi::OwnableUnauthorizedAccount::abi_decode(data) {
        return (error.account == safe).then_some(Entitled::Owner);
    }
    if let Ok(error) = abi::AccessControlUnauthorizedAccount::abi_decode(data) {
        return (error.account == safe).then_some(Entitled::Role(error.neededRole));
    }
    let Reason::Text(text) = decode_revert(data, &[]) else { return None };
    if text == NOT_THE_OWNER {
        return Some(Entitled::Owner);
    }
    let (_, role) = text.split_once(MISSING_ROLE)?;
    role.parse().ok().map(Entitled::Role)
}

/// Returns the address in an answer; `None` for the zero address.
pub fn address(answer: &Answer) -> Option<Address> {
    let Answer::Value(data) = answer else { return None };
    Address::abi_decode_validate(data).ok().filter(|address| !address.is_zero())
}

#[cfg(test)]
mod tests {
    use alloy::sol_types::Revert;

    use super::*;

    const SAFE: Address = Address::repeat_byte(5);

    #[test]
    fn the_missing_role_is_read_from_the_contracts_error() {
        let (other, role) = (Address::repeat_byte(6), B256::repeat_byte(7));
        let old = |text: String| Revert::from(text).abi_encode();
        let role_text = format!("AccessControl: account {SAFE} is missing role {role}");
        for (data, expected) in [
            (abi::OwnableUnauthorizedAccount { account: SAFE }.abi_encode(), Some(Entitled::Owner)),
            (abi::OwnableUnauthorizedAccount { account: other }.abi_encode(), None),
            (
                abi::AccessControlUnauthorizedAccount { account: SAFE, neededRole: role }.abi_encode(),
                Some(Entitled::Role(role)),
            ),
            (old(NOT_THE_OWNER.into()), Some(Entitled::Owner)),
            (old(role_text), Some(Entitled::Role(role))),
            (old("Pausable: paused".into()), None),
            (Vec::new(), None),
        ] {
            assert_eq!(entitled(&data.into(), SAFE), expected);
        }
    }
    /// Only a call that was tried as the Safe, and refused for its role, counts.
    #[test]
    fn a_call_refused_for_its_role_requires_that_role() {
        use crate::ceremony::order::Turn;
        use crate::ceremony::tests::{Home, VAULT, at, order};
        let home = Home::new();
        let desk = home.desk();
        let order = order(&desk, &["vault"], &at(4));
        let Turn::Ready(plans) = order.turn(&Readings::default()).unwrap() else { panic!() };
        let planned = &plans.merged().calls[0];
        let data: Bytes = abi::OwnableUnauthorizedAccount { account: SAFE }.abi_encode().into();
        let answered = |from: Address, answer: Answer| {
            let query = Query::Call { from: Some(from), to: VAULT, data: planned.call.data.clone() };
            required_role(planned, SAFE, &[(query, answer)].into_iter().collect())
        };
        assert_eq!(answered(SAFE, Answer::Reverted(data.clone())), Some(Entitled::Owner));
        assert_eq!(answered(SAFE, Answer::Value(data.clone())), None);
        assert_eq!(answered(VAULT, Answer::Reverted(data)), None, "it was tried as another");
    }
}
