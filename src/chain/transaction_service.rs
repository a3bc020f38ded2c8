//! The Transaction Service, which Safe{Wallet} shows: what it says of Safes. Nothing of it is trusted: it is compared with the
//! chain, for `doctor`.
//!
//! Form: safe-global/safe-transaction-service 6, `api/v1/about/ethereum-rpc/`, `api/v1/safes/…/` and
//! `api/v2/safes/…/multisig-transactions/`.

use std::time::Duration;

use alloy::primitives::{Address, B256, Bytes, U256};
use futures_util::future::{join, join_all};
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use url::Url;
use zeroize::Zeroizing;

use super::chain_error::{ChainError, EndpointFault};
use super::endpoint::{client_for, without_number};
use super::http_proxy::is_here;
use super::json_rpc::Secrets;
use super::quorum::Chain;
use crate::council::SecretUrl;
use crate::safe::{MOST_OWNERS, Nonce, Operation, SafeTx};

/// The time for one answer.
const PATIENCE: Duration = Duration::from_secs(8);
const LARGEST: usize = 4 << 20;
/// The pending transactions of a Safe that are asked for.
const MOST_PENDING: usize = 20;
/// Whose the key is: nobody else is told it.
const KEY_HOST: &str = "safe.global";

/// A service's answers about a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceSays {
    /// Its address, without a key.
    pub shown: String,
    /// The time of its first answer; why, if it is not there or is of another chain.
    pub latency: Result<Duration, EndpointFault>,
    pub safes: Vec<(Address, Result<ServiceAnswer, EndpointFault>)>,
}

/// A Safe as the service has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceAnswer {
    /// `None` if it does not know the Safe.
    pub known: Option<StatedSafe>,
    /// Not executed, and with the Safe's next nonce by the chain.
    pub pending: Vec<PendingTransaction>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatedSafe {
    pub owners: Vec<Address>,
    pub threshold: u64,
    pub nonce: U256,
}

/// A transaction that waits there, as it is stated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingTransaction {
    /// Stated beside the fields: it may be of others.
    pub hash: B256,
    pub to: Address,
    /// `None` if its operation is one that no Safe accepts.
    pub tx: Option<SafeTx>,
}

#[derive(Deserialize)]
struct WireServiceNode {
    chain_id: u64,
}

#[derive(Deserialize)]
struct WireServiceSafe {
    owners: Vec<Address>,
    threshold: u64,
    nonce: WireNumber,
}

#[derive(Deserialize)]
struct WirePendingPage {
    results: Vec<WirePending>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePending {
    safe_tx_hash: B256,
    to: Address,
    value: WireNumber,
    #[serde(default)]
    data: Option<Bytes>,
    operation: u8,
    safe_tx_gas: Option<WireNumber>,
    base_gas: Option<WireNumber>,
    gas_price: Option<WireNumber>,
    gas_token: Option<Address>,
    refund_receiver: Option<Address>,
    nonce: WireNumber,
}

impl WirePending {
    fn read(self) -> Result<PendingTransaction, EndpointFault> {
        let number = |number: Option<WireNumber>| number.map_or(Ok(U256::ZERO), |number| number.read());
        let (hash, to, operation) = (self.safe_tx_hash, self.to, Operation::from_u8(self.operation));
        let (safe_tx_gas, base_gas) = (number(self.safe_tx_gas)?, number(self.base_gas)?);
        let (value, gas_price, nonce) = (self.value.read()?, number(self.gas_price)?, self.nonce.read()?);
        let tx = operation.map(|operation| SafeTx {
            safe_tx_gas,
            base_gas,
            gas_price,
            gas_token: self.gas_token.unwrap_or_default(),
            refund_receiver: self.refund_receiver.unwrap_or_default(),
            ..SafeTx::new(to, value, self.data.unwrap_or_default(), operation, Nonce(nonce))
        });
        Ok(PendingTransaction { hash, to, tx })
    }
}

/// A number, or its digits as text: the versions of the service differ.
#[derive(Deserialize)]
#[serde(untagged)]
enum WireNumber {
    Small(u64),
    Digits(String),
}

impl WireNumber {
    fn read(&self) -> Result<U256, EndpointFault> {
        match self {
            Self::Small(n) => Ok(U256::from(*n)),
            Self::Digits(text) => {
                let digits = Some(text).filter(|text| !text.is_empty());
                let number = digits.and_then(|digits| U256::from_str_radix(digits, 10).ok());
                number.ok_or(EndpointFault::NotAService)
            }
        }
    }
}

impl Chain {
    /// Asks a service about Safes of this chain, all at once. The nonces are the next ones by the chain.
    pub fn service_says(
        &self,
        url: &SecretUrl,
        key: Option<Zeroizing<String>>,
        safes: &[(Address, Nonce)],
    ) -> Result<ServiceSays, ChainError> {
        let parsed = Url::parse(url.expose()).map_err(|_| ChainError::BadUrl(url.to_string()))?;
        let service = ServiceClient {
            client: client_for(url, PATIENCE)?,
            base: url.expose().trim_end_matches('/').to_string().into(),
            key: key.filter(|_| may_have_key(&parsed)),
            secrets: Secrets::of(url),
        };
        let of_safe = |(safe, nonce): &(Address, Nonce)| {
            let (service, safe, nonce) = (&service, *safe, *nonce);
            async move { (safe, service.safe(safe, nonce).await) }
        };
        let asked = join(service.about(self.id()), join_all(safes.iter().map(of_safe)));
        let (latency, safes) = self.block_on(asked);
        Ok(ServiceSays { shown: url.to_string(), latency, safes })
    }
}

/// Safe's own hosts, encrypted; or this machine.
fn may_have_key(url: &Url) -> bool {
    let is_safes = url.host_str().is_some_and(|host| host == KEY_HOST || host.ends_with(".safe.global"));
    (is_safes && url.scheme() == "https") || is_here(url)
}

struct ServiceClient {
    client: Client,
    base: Zeroizing<String>,
    key: Option<Zeroizing<String>>,
    secrets: Secrets,
}

impl ServiceClient {
    /// Returns the time of its first answer.
    async fn about(&self, id: u64) -> Result<Duration, EndpointFault> {
        let begun = Instant::now();
        let about: WireServiceNode =
            self.get("/api/v1/about/ethereum-rpc/").await?.ok_or(EndpointFault::NotAService)?;
        match about.chain_id {
            found if found == id => Ok(begun.elapsed()),
            found => Err(EndpointFault::WrongChain { found: found.to_string() }),
        }
    }

    async fn safe(&self, safe: Address, next: Nonce) -> Result<ServiceAnswer, EndpointFault> {
        let known = format!("/api/v1/safes/{safe}/");
        let pending = format!(
            "/api/v2/safes/{safe}/multisig-transactions/?executed=false&nonce={next}&limit={MOST_PENDING}"
        );
        let (known, pending) =
            join(self.get::<WireServiceSafe>(&known), self.get::<WirePendingPage>(&pending)).await;
        let known = known?.map(|wire| {
            if wire.owners.len() > MOST_OWNERS {
                return Err(EndpointFault::NotAService);
            }
            Ok(StatedSafe { owners: wire.owners, threshold: wire.threshold, nonce: wire.nonce.read()? })
        });
        let known = known.transpose()?;
        let results = pending?.map(|page| page.results).unwrap_or_default();
        let mut waiting = Vec::new();
        for one in results.into_iter().take(MOST_PENDING) {
            // A service that does not know the filter tells of others too.
            if one.nonce.read()? == next.0 {
                waiting.push(one.read()?);
            }
        }
        Ok(ServiceAnswer { known, pending: waiting })
    }

    /// Returns an answer; `None` where there is nothing at this path.
    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, EndpointFault> {
        let mut request = self.client.get(format!("{}{path}", self.base.as_str()));
        if let Some(key) = &self.key {
            request = request.bearer_auth(key.as_str());
        }
        let mut response = request.send().await.map_err(|error| self.transport(&error))?;
        match response.status() {
            StatusCode::NOT_FOUND => return Ok(None),
            StatusCode::TOO_MANY_REQUESTS => return Err(EndpointFault::Throttled { wait: None }),
            status if !status.is_success() => return Err(EndpointFault::Http(status.as_u16())),
            _ => {}
        }
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| self.transport(&error))? {
            if body.len() + piece.len() > LARGEST {
                return Err(EndpointFault::TooLarge);
            }
            body.extend_from_slice(&piece);
        }
        serde_json::from_slice(&body).map(Some).map_err(|_| EndpointFault::NotAService)
    }

    fn transport(&self, error: &reqwest::Error) -> EndpointFault {
        if error.is_timeout() {
            return EndpointFault::TimedOut(PATIENCE.as_secs());
        }
        let mut cause: &dyn std::error::Error = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        EndpointFault::Unreachable(self.secrets.hide(without_number(&cause.to_string())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_goes_to_safes_own_hosts_and_to_nobody_else() {
        let may = |url: &str| may_have_key(&Url::parse(url).unwrap());
        assert!(may("https://api.safe.global/tx-service/eth") && may("http://127.0.0.1:8000"));
        for other in [
            "http://api.safe.global/tx-service/eth",
            "https://api.safe.global.evil.example",
            "https://evilsafe.global",
            "https://service.example/safe.global",
        ] {
            assert!(!may(other), "{other}");
        }
    }

    #[test]
    fn numbers_are_read_as_both_versions_write_them() {
        let read = |text: &str| serde_json::from_str::<WireNumber>(text).unwrap().read();
        assert_eq!(read("42"), Ok(U256::from(42)));
        assert_eq!(read("\"42\""), Ok(U256::from(42)));
        assert!(read("\"0x2a\"").is_err() && read("\"\"").is_err());
    }

    #[test]
    fn every_field_that_owners_sign_is_read() {
        let address = Address::repeat_byte;
        let mut json = serde_json::json!({
            "safeTxHash": B256::repeat_byte(9), "to": address(1), "value": "2", "data": "0x03", "operation": 1,
            "safeTxGas": 4, "baseGas": "5", "gasPrice": "6", "gasToken": address(7), "refundReceiver": address(8),
            "nonce": "42",
        });
        let read = |json: &serde_json::Value| {
            serde_json::from_value::<WirePending>(json.clone()).unwrap().read().unwrap()
        };
        let tx = SafeTx {
            safe_tx_gas: U256::from(4),
            base_gas: U256::from(5),
            gas_price: U256::from(6),
            gas_token: address(7),
            refund_receiver: address(8),
            ..SafeTx::new(
                address(1),
                U256::from(2),
                Bytes::from_static(&[3]),
                Operation::DelegateCall,
                Nonce::from(42),
            )
        };
        assert_eq!(
            read(&json),
            PendingTransaction { hash: B256::repeat_byte(9), to: address(1), tx: Some(tx) }
        );
        json["operation"] = 2.into();
        assert_eq!(read(&json).tx, None, "no Safe accepts it");
        for field in ["data", "safeTxGas", "gasPrice", "gasToken", "refundReceiver"] {
            json[field] = serde_json::Value::Null;
        }
        json["operation"] = 0.into();
        let plain = read(&json).tx.unwrap();
        assert_eq!((plain.gas_price, plain.gas_token), (U256::ZERO, Address::ZERO));
    }
}
