//! Receipts and standing of a transaction that was sent.

use alloy::primitives::{Address, keccak256};
use serde_json::{Value, json};

use super::fake::{Server, chain, good, header};
use crate::evm::TxHash;

/// A node that has blocks up to 10 and names `newest` as the newest; the transaction stands in block 10.
fn mined_in_10(newest: u64) -> Server {
    Server::node(move |method, params| match method {
        "eth_getTransactionReceipt" => json!({"result": {
            "transactionHash": keccak256([1]), "blockHash": header(10, 0)["hash"], "blockNumber": "0xa",
            "from": Address::repeat_byte(7), "status": "0x1", "gasUsed": "0x5208", "logs": [],
        }}),
        "eth_getBlockByNumber" if params[0] == "0xa" => json!({"result": header(10, 0)}),
        _ => good(newest)(method, params) as Value,
    })
}

/// One node behind the address has the block and another does not: no state can be read at that block yet.
#[test]
fn a_receipt_later_than_the_head_is_not_there_yet() {
    let tx = TxHash::of(&[1]);
    assert_eq!(chain(&[&mined_in_10(9)], 1).receipt(tx), Ok(None));
    for newest in [10, 11] {
        let receipt = chain(&[&mined_in_10(newest)], 1).receipt(tx).unwrap().unwrap();
        assert_eq!((receipt.block.number, receipt.succeeded), (10, true));
    }
}
