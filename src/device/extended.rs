//! The public keys below one of the device's paths, computed from its public key and chain code: BIP-32. Pure.
//!
//! One answer of the device stands for every key below it whose levels are not hardened: 20 of the 29 usual paths.

use alloy::primitives::Address;
use hmac::{Hmac, KeyInit, Mac};
use k256::elliptic_curve::PrimeField;
use k256::elliptic_curve::sec1::ToEncodedPoint;
use k256::{ProjectivePoint, PublicKey, Scalar};
use sha2::Sha512;

use super::path::HARDENED;

/// A public key and its chain code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ExtendedKey {
    point: PublicKey,
    chain_code: [u8; 32],
}

impl ExtendedKey {
    /// `None` if the 65 bytes are not a point of the curve.
    pub(super) fn new(point: &[u8], chain_code: [u8; 32]) -> Option<Self> {
        Some(Self { point: PublicKey::from_sec1_bytes(point).ok()?, chain_code })
    }

    /// Returns the address below it. `None` for a hardened level, which needs the private key.
    pub(super) fn address_below(&self, levels: &[u32]) -> Option<Address> {
        let child = levels.iter().try_fold(self.clone(), |key, level| key.child(*level))?;
        let point = child.point.to_encoded_point(false);
        Some(Address::from_raw_public_key(point.as_bytes().get(1..)?))
    }

    /// BIP-32, CKDpub. `None` also where the tweak is not a scalar: about once in 2^127 keys.
    fn child(&self, level: u32) -> Option<Self> {
        if level & HARDENED != 0 {
            return None;
        }
        let mut mac = Hmac::<Sha512>::new_from_slice(&self.chain_code).ok()?;
        mac.update(self.point.to_encoded_point(true).as_bytes());
        mac.update(&level.to_be_bytes());
        let digest = mac.finalize().into_bytes();
        let (tweak, chain_code) = digest.split_at(32);
        let tweak: [u8; 32] = tweak.try_into().ok()?;
        let tweak = Option::<Scalar>::from(Scalar::from_repr(tweak.into()))?;
        let point = ProjectivePoint::GENERATOR * tweak + self.point.to_projective();
        let point = PublicKey::from_affine(point.to_affine()).ok()?;
        Some(Self { point, chain_code: chain_code.try_into().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use alloy::hex;
    use alloy::primitives::address;

    use super::*;

    /// Recorded with Ethereum 1.9.18 on a Nano X: m/44'/60'/0' of the mnemonic "test test … junk". The addresses below it were
    /// recorded one by one with 1.22.0 on a Nano S Plus.
    #[test]
    fn the_keys_below_are_those_that_the_device_names() {
        let point = hex::decode("0406b81bac860f5a7442a85664d339809955b3ac9a5782200095127ac78aab71f53e749b17367313ee2ebcb53fa348d139e0e6856b887edf1fa32fb67e1bf514d2").unwrap();
        let chain_code =
            hex::decode("2258179af5cec58ce793fba06d3ef8ac640d481802e0ae39c9cc3fc5a8ce1812").unwrap();
        let key = ExtendedKey::new(&point, chain_code.try_into().unwrap()).unwrap();
        for (levels, address) in [
            (&[][..], address!("340d8879778d3D3Fec643D1736ebFd2bC5824662")),
            (&[0], address!("1e59ce931B4CFea3fe4B875411e280e173cB7A9C")),
            (&[1], address!("c89D42189f0450C2b2c3c61f58Ec5d628176A1E7")),
            (&[0, 0], address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266")),
            (&[0, 1], address!("70997970C51812dc3A010C7d01b50e0d17dc79C8")),
            (&[0, 2], address!("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC")),
        ] {
            assert_eq!(key.address_below(levels), Some(address), "{levels:?}");
        }
        assert_eq!(key.address_below(&[HARDENED]), None);
        assert_eq!(ExtendedKey::new(&[4; 65], [0; 32]), None);
    }
}
