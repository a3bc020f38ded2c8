//! The functions that a contract has, found in its bytecode. Pure.
//!
//! The code is whatever stands on chain: nobody says that a compiler made it. A function that is found may do anything,
//! whatever its selector is known for; one that is not found may be there all the same.

use std::collections::BTreeSet;
use std::panic::catch_unwind;

use alloy::dyn_abi::DynSolType;
use alloy::primitives::Selector;
use evmole::{ContractInfoArgs, StateMutability, contract_info};

/// Code beyond this length is not searched: ten times what Ethereum takes.
const MOST_CODE: usize = 240 << 10;
/// Functions whose arguments are worked out; each takes a run of its own.
const MOST_FUNCTIONS: usize = 1_000;

/// A function as far as the bytecode tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFunction {
    pub selector: Selector,
    /// A guess: types that are used alike cannot be told apart.
    pub arguments: Vec<DynSolType>,
    /// It writes nothing.
    pub is_view: bool,
}

/// Returns the selectors that the code compares the calldata with.
pub fn selectors(code: &[u8]) -> BTreeSet<Selector> {
    let info = analyse(code, ContractInfoArgs::new(code).with_selectors());
    info.iter().map(|function| Selector::from(function.selector)).collect()
}

/// Returns the functions of the code, in the order of their selectors, with their arguments.
pub fn functions(code: &[u8]) -> Vec<FoundFunction> {
    if selectors(code).len() > MOST_FUNCTIONS {
        return Vec::new();
    }
    let found = analyse(code, ContractInfoArgs::new(code).with_arguments().with_state_mutability());
    let mut found: Vec<_> = found
        .into_iter()
        .map(|function| FoundFunction {
            selector: Selector::from(function.selector),
            arguments: function.arguments.unwrap_or_default(),
            is_view: matches!(function.state_mutability, Some(StateMutability::View | StateMutability::Pure)),
        })
        .collect();
    found.sort_by_key(|function| function.selector);
    found
}

/// Finds nothing where the analysis fails: the code may be made to make it fail.
fn analyse(code: &[u8], wanted: ContractInfoArgs<'_>) -> Vec<evmole::Function> {
    if code.len() > MOST_CODE {
        return Vec::new();
    }
    catch_unwind(|| contract_info(wanted).functions).ok().flatten().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{hex, keccak256};
    use proptest::prelude::*;

    use super::*;

    /// Source: evmole's own documentation. It has f(uint32,address,uint224) pure, and balance() view.
    const CODE: [u8; 168] = hex!(
        "6080604052348015600e575f80fd5b50600436106030575f3560e01c80632125b65b146034578063b69ef8a8146044575b5f80fd5b6044603f3660046046565b505050565b005b5f805f606084860312156057575f80fd5b833563ffffffff811681146069575f80fd5b925060208401356001600160a01b03811681146083575f80fd5b915060408401356001600160e01b0381168114609d575f80fd5b80915050925092509256"
    );

    fn selector(signature: &str) -> Selector {
        Selector::from_slice(&keccak256(signature)[..4])
    }

    #[test]
    fn functions_are_found_with_what_they_take() {
        let both: BTreeSet<Selector> =
            [selector("transfer(uint32,address,uint224)"), selector("balance()")].into();
        assert_eq!(selectors(&CODE), both);
        let found = functions(&CODE);
        assert_eq!(found.iter().map(|f| f.selector).collect::<BTreeSet<_>>(), both);
        let taking = found.iter().find(|f| !f.arguments.is_empty()).unwrap();
        assert_eq!(DynSolType::Tuple(taking.arguments.clone()).to_string(), "(uint32,address,uint224)");
        assert!(taking.is_view);
    }

    #[test]
    fn no_functions_are_found_in_data_or_in_code_that_is_too_long() {
        for code in [&[][..], &[0], &vec![0x5b; MOST_CODE + 1]] {
            assert!(selectors(code).is_empty() && functions(code).is_empty());
        }
    }

    proptest! {
        /// The author of the code decides what the analysis reads.
        #[test]
        fn no_code_stops_the_program(
            changes in prop::collection::vec((0..CODE.len(), any::<u8>()), 0..12), tail in prop::collection::vec(any::<u8>(), 0..200)
        ) {
            let mut code = CODE.to_vec();
            for (at, byte) in changes {
                code[at] = byte;
            }
            code.extend(tail);
            let _ = functions(&code);
        }
    }
}
