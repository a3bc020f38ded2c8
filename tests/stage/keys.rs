//! The keys everybody knows: anvil's own, from the mnemonic "test test test test test test test test test test test
//! junk". Rich on anvil, worthless elsewhere.

use alloy::primitives::{Address, B256, address, b256, eip191_hash_message};
use k256::ecdsa::SigningKey;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    pub address: Address,
    pub secret: B256,
}

const fn k(address: Address, secret: B256) -> Key {
    Key { address, secret }
}

#[rustfmt::skip]
pub const KEYS: [Key; 10] = [
    k(address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266"), b256!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")),
    k(address!("70997970C51812dc3A010C7d01b50e0d17dc79C8"), b256!("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d")),
    k(address!("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"), b256!("5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a")),
    k(address!("90F79bf6EB2c4f870365E785982E1f101E93b906"), b256!("7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6")),
    k(address!("15d34AAf54267DB7D7c367839AAf71A00a2C6A65"), b256!("47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a")),
    k(address!("9965507D1a55bcC2695C58ba16FB37d819B0A4dc"), b256!("8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba")),
    k(address!("976EA74026E726554dB657fA54763abd0C3a0aa9"), b256!("92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e")),
    k(address!("14dC79964da2C08b23698B3D3cc7Ca32193d9955"), b256!("4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356")),
    k(address!("23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f"), b256!("dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97")),
    k(address!("a0Ee7A142d267C1f36714E4a8F75612F20a79720"), b256!("2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6")),
];

/// The key with this number, 0 to 9. The stage itself deploys from 9.
pub const fn key(n: usize) -> Key {
    KEYS[n]
}

impl Key {
    /// r ‖ s ‖ v over a digest, v 27 or 28.
    pub fn sign(&self, digest: B256) -> [u8; 65] {
        let key = SigningKey::from_slice(self.secret.as_slice()).unwrap();
        let (signature, parity) = key.sign_prehash_recoverable(digest.as_slice()).unwrap();
        let mut bytes = [27 + parity.to_byte(); 65];
        bytes[..64].copy_from_slice(&signature.to_bytes());
        bytes
    }

    /// Returns the signature of a wallet's `personal_sign`, with the v that a Safe wants: 31 or 32.
    pub fn eth_sign(&self, digest: B256) -> [u8; 65] {
        let mut bytes = self.sign(eip191_hash_message(digest));
        bytes[64] += 4;
        bytes
    }
}
