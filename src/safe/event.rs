//! Did the Safe say that *this* transaction succeeded? A receipt's status does not answer that.

use alloy::primitives::{Address, B256, Log};
use alloy::sol_types::SolEvent;

use super::hashes::SafeTxHash;
use super::version::SafeVersion;

/// The result of one transaction by the Safe's own event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Execution {
    /// `ExecutionSuccess` with our safeTxHash.
    Succeeded,
    /// `ExecutionFailure` with our safeTxHash: the nonce is used and nothing was done.
    Failed,
}

alloy::sol! {
    event ExecutionSuccess(bytes32 txHash, uint256 payment);
    event ExecutionFailure(bytes32 txHash, uint256 payment);
    event ExecutionFailed(bytes32 txHash);
}

/// The first topics of the events by which a Safe tells what became of a transaction: success, failure, and the failure of
/// 1.0.0. They are the same whether the hash is indexed or not.
pub const RESULT_TOPICS: [B256; 3] =
    [ExecutionSuccess::SIGNATURE_HASH, ExecutionFailure::SIGNATURE_HASH, ExecutionFailed::SIGNATURE_HASH];

/// Finds the event of `hash` among the logs of a transaction.
///
/// Shapes: 1.0.0 has only `ExecutionFailed(bytes32)` and announces no success; 1.1.1 to 1.3.0 put the hash in the
/// data, 1.4.1 and 1.5.0 in the first indexed topic. Only events that the Safe itself emitted count.
pub fn find_execution<'a>(
    logs: impl IntoIterator<Item = &'a Log>,
    safe: Address,
    version: SafeVersion,
    hash: &SafeTxHash,
) -> Option<Execution> {
    let results =
        logs.into_iter().filter(|log| log.address == safe).filter_map(|log| result_of(log, version));
    results.into_iter().find(|(named, _)| named == hash).map(|(_, result)| result)
}

/// Returns which transaction an event tells of, and its result; `None` for another event. Shapes: [`find_execution`].
pub fn result_of(log: &Log, version: SafeVersion) -> Option<(SafeTxHash, Execution)> {
    let [success, failure, failure_of_1_0_0] = RESULT_TOPICS;
    let failure = if version == SafeVersion::V1_0_0 { failure_of_1_0_0 } else { failure };
    let topics = log.data.topics();
    let named = if version.result_event_is_indexed() {
        topics.get(1).copied()
    } else {
        log.data.data.get(..32).map(B256::from_slice)
    };
    let result = match topics.first() {
        Some(topic) if *topic == success => Execution::Succeeded,
        Some(topic) if *topic == failure => Execution::Failed,
        _ => return None,
    };
    Some((SafeTxHash::claimed(named?), result))
}

#[cfg(test)]
mod tests {
    use alloy::primitives::keccak256;

    use super::*;

    #[test]
    fn topics_are_the_hashes_of_the_events() {
        let events = [
            "ExecutionSuccess(bytes32,uint256)",
            "ExecutionFailure(bytes32,uint256)",
            "ExecutionFailed(bytes32)",
        ];
        assert_eq!(RESULT_TOPICS, events.map(keccak256));
    }

    const SAFE: Address = Address::repeat_byte(5);

    fn log(address: Address, topics: Vec<B256>, data: Vec<u8>) -> Log {
        Log::new_unchecked(address, topics, data.into())
    }

    #[test]
    fn the_hash_is_where_the_version_puts_it() {
        let hash = SafeTxHash::claimed(B256::repeat_byte(7));
        let indexed = log(SAFE, vec![RESULT_TOPICS[0], *hash.word()], vec![0; 32]);
        let plain = log(SAFE, vec![RESULT_TOPICS[0]], [hash.word().as_slice(), &[0; 32]].concat());
        let find = |l: &Log, v| find_execution([l], SAFE, v, &hash);
        assert_eq!(find(&indexed, SafeVersion::V1_4_1), Some(Execution::Succeeded));
        assert_eq!(find(&plain, SafeVersion::V1_3_0), Some(Execution::Succeeded));
        assert_eq!(find(&indexed, SafeVersion::V1_3_0), None);
        assert_eq!(find(&plain, SafeVersion::V1_5_0), None);
    }

    #[test]
    fn another_contract_or_another_hash_proves_nothing() {
        let hash = SafeTxHash::claimed(B256::repeat_byte(7));
        let other = B256::repeat_byte(8);
        let forged = log(Address::repeat_byte(6), vec![RESULT_TOPICS[0], *hash.word()], vec![0; 32]);
        let foreign = log(SAFE, vec![RESULT_TOPICS[0], other], vec![0; 32]);
        let failed = log(SAFE, vec![RESULT_TOPICS[1], *hash.word()], vec![0; 32]);
        assert_eq!(find_execution([&forged, &foreign], SAFE, SafeVersion::V1_4_1, &hash), None);
        let all = [&forged, &foreign, &failed];
        assert_eq!(find_execution(all, SAFE, SafeVersion::V1_4_1, &hash), Some(Execution::Failed));
    }
}
