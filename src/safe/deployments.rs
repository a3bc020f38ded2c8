//! The Safe contracts this program knows by address and code: its singletons, libraries and fallback handlers.
//!
//! Source: `@safe-global/safe-deployments` 1.37.63, canonical and EIP-155 deployments; a test compares every row.
//! zkSync's are left out: its code hashes follow other rules.

use alloy::primitives::{Address, B256, address, b256};

use super::version::SafeVersion::{self, V1_0_0, V1_1_1, V1_2_0, V1_3_0, V1_4_1, V1_5_0};
use Contract::{
    FallbackHandler, MultiSendCallOnly, SafeMigration, SignMessageLib, SimulateTxAccessor, Singleton,
    SingletonL2,
};

/// The part that a known contract plays for a Safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Contract {
    Singleton,
    /// The singleton that also emits every transaction as an event.
    SingletonL2,
    MultiSendCallOnly,
    SafeMigration,
    SignMessageLib,
    FallbackHandler,
    SimulateTxAccessor,
}

/// A contract deployed at a known address with known code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deployment {
    pub contract: Contract,
    pub version: SafeVersion,
    pub address: Address,
    /// keccak256 of the code at that address.
    pub code_hash: B256,
}

const fn at(contract: Contract, version: SafeVersion, address: Address, code_hash: B256) -> Deployment {
    Deployment { contract, version, address, code_hash }
}

/// Every deployment known here.
#[rustfmt::skip]
pub const KNOWN: &[Deployment] = &[
    at(Singleton, V1_0_0, address!("b6029EA3B2c51D09a50B53CA8012FeEB05bDa35A"), b256!("e1f1593df76e69abc2d692792c80f329457551d5e83dde597546a1d58764da80")),
    at(FallbackHandler, V1_1_1, address!("d5D82B6aDDc9027B22dCA772Aa68D5d74cdBdF44"), b256!("919a9f5dd111a01f7a8e4b1f5c6a972bb2d1441c67bdec71de6a09d0be92f5b9")),
    at(Singleton, V1_1_1, address!("34CfAC646f301356fAa8B21e94227e3583Fe3F5F"), b256!("56b8be58b5ad629a621593a2e5e5e8e9a28408dc06e95597497b303902772e45")),
    at(Singleton, V1_2_0, address!("6851D6fDFAfD08c0295C392436245E5bc78B0185"), b256!("2ae2d1231f0d754a7fa4f5e5d0e5554085e1b500d8e09f95aaaaa3f49c0db922")),
    at(FallbackHandler, V1_3_0, address!("f48f2B2d2a534e402487b3ee7C18c33Aec0Fe5e4"), b256!("03e69f7ce809e81687c69b19a7d7cca45b6d551ffdec73d9bb87178476de1abf")),
    at(FallbackHandler, V1_3_0, address!("017062a1dE2FE6b99BE3d9d37841FeD19F573804"), b256!("03e69f7ce809e81687c69b19a7d7cca45b6d551ffdec73d9bb87178476de1abf")),
    at(Singleton, V1_3_0, address!("d9Db270c1B5E3Bd161E8c8503c55cEABeE709552"), b256!("bba688fbdb21ad2bb58bc320638b43d94e7d100f6f3ebaab0a4e4de6304b1c2e")),
    at(Singleton, V1_3_0, address!("69f4D1788e39c87893C980c06EdF4b7f686e2938"), b256!("bba688fbdb21ad2bb58bc320638b43d94e7d100f6f3ebaab0a4e4de6304b1c2e")),
    at(SingletonL2, V1_3_0, address!("3E5c63644E683549055b9Be8653de26E0B4CD36E"), b256!("21842597390c4c6e3c1239e434a682b054bd9548eee5e9b1d6a4482731023c0f")),
    at(SingletonL2, V1_3_0, address!("fb1bffC9d739B8D520DaF37dF666da4C687191EA"), b256!("21842597390c4c6e3c1239e434a682b054bd9548eee5e9b1d6a4482731023c0f")),
    at(MultiSendCallOnly, V1_3_0, address!("40A2aCCbd92BCA938b02010E17A5b8929b49130D"), b256!("a9865ac2d9c7a1591619b188c4d88167b50df6cc0c5327fcbd1c8c75f7c066ad")),
    at(MultiSendCallOnly, V1_3_0, address!("A1dabEF33b3B82c7814B6D82A79e50F4AC44102B"), b256!("a9865ac2d9c7a1591619b188c4d88167b50df6cc0c5327fcbd1c8c75f7c066ad")),
    at(SignMessageLib, V1_3_0, address!("A65387F16B013cf2Af4605Ad8aA5ec25a2cbA3a2"), b256!("3ac65dea3cc9dd0d7b7b800f834e3d73415b4e944bb94555c3e4a08fb137e918")),
    at(SignMessageLib, V1_3_0, address!("98FFBBF51bb33A056B08ddf711f289936AafF717"), b256!("3ac65dea3cc9dd0d7b7b800f834e3d73415b4e944bb94555c3e4a08fb137e918")),
    at(SimulateTxAccessor, V1_3_0, address!("59AD6735bCd8152B84860Cb256dD9e96b85F69Da"), b256!("b3fb9763869f2c09a2ac5a425d2dd6060bf7ef46b3899049d71a711e71e00f04")),
    at(SimulateTxAccessor, V1_3_0, address!("727a77a074D1E6c4530e814F89E618a3298FC044"), b256!("66712e1d9161706f826d8d74a3cc03db0289b2530a1202f24d52986952b69a02")),
    at(FallbackHandler, V1_4_1, address!("fd0732Dc9E303f09fCEf3a7388Ad10A83459Ec99"), b256!("7c6007a5d711cea8dfd5d91f5940ec29c7f200fe511eb1fc1397b367af3c42f9")),
    at(MultiSendCallOnly, V1_4_1, address!("9641d764fc13c8B624c04430C7356C1C7C8102e2"), b256!("ecd5bd14a08c5d2122379900b2f272bdf107a7e92423c10dd5fe3254386c9939")),
    at(Singleton, V1_4_1, address!("41675C099F32341bf84BFc5382aF534df5C7461a"), b256!("1fe2df852ba3299d6534ef416eefa406e56ced995bca886ab7a553e6d0c5e1c4")),
    at(SingletonL2, V1_4_1, address!("29fcB43b46531BcA003ddC8FCB67FFE91900C762"), b256!("b1f926978a0f44a2c0ec8fe822418ae969bd8c3f18d61e5103100339894f81ff")),
    at(SafeMigration, V1_4_1, address!("526643F69b81B008F46d95CD5ced5eC0edFFDaC6"), b256!("c00d7921460cd5a05393e7772e634bd7d212f356356aa3a77f0120a9b8e25e99")),
    at(SignMessageLib, V1_4_1, address!("d53cd0aB83D845Ac265BE939c57F53AD838012c9"), b256!("525c754a46b79e05543a59bb61e8de3c9eee0d955a59352409cbe67ea1077528")),
    at(SimulateTxAccessor, V1_4_1, address!("3d4BA2E0884aa488718476ca2FB8Efc291A46199"), b256!("91f82615581fc73b190b83d72e883608b25e392f72322035df1b13d51766cf8d")),
    at(FallbackHandler, V1_5_0, address!("3EfCBb83A4A7AfcB4F68D501E2c2203a38be77f4"), b256!("3c6a85bcf7b563daa624b884b4e9a1b9fa5371edde7be945d998071a48f28bbc")),
    at(FallbackHandler, V1_5_0, address!("85a8ca358D388530ad0fB95D0cb89Dd44Fc242c3"), b256!("ba5bafdfba82e226b6dc8ae29bedf5026bd854ab4bee00128ca322717a5f2acf")),
    at(MultiSendCallOnly, V1_5_0, address!("A83c336B20401Af773B6219BA5027174338D1836"), b256!("cdbdcec38d2f1c7d961b0029ff8416b7e86e9974d6f0e9c9580c7d17fcfb6663")),
    at(Singleton, V1_5_0, address!("Ff51A5898e281Db6DfC7855790607438dF2ca44b"), b256!("dda019cbd7c867a533a2a86e5c53434fdc50b13122b5a5ddb4a8df61b31c20f2")),
    at(SingletonL2, V1_5_0, address!("Edd160fEBBD92E350D4D398fb636302fccd67C7e"), b256!("180193227186ccb85316c94db1f0d156ed932b14712cfaac78901899178572dc")),
    at(SafeMigration, V1_5_0, address!("6439e7ABD8Bb915A5263094784C5CF561c4172AC"), b256!("52d7472fa02c3a574544f9b5a4ed4c7777e4e3315217e368926b51e1cc6014ea")),
    at(SignMessageLib, V1_5_0, address!("4FfeF8222648872B3dE295Ba1e49110E61f5b5aa"), b256!("d61840855da008da59a00fc03fb71455b4f70bdca1f56f9504f072ed8d90c50e")),
    at(SimulateTxAccessor, V1_5_0, address!("07EfA797c55B5DdE3698d876b277aBb6B893654C"), b256!("706db4bb6151f75a5b3845724174e201c59046dfbe65b4e5909ad4b88f8f752d")),
    at(FallbackHandler, V1_5_0, address!("54e86d004d71a8D2112ec75FaCE57D730b0433F3"), b256!("cbc723172700efa52cc33ee26c7fc7e284edc8097f9dc307857fe525fec98cd8")),
];

/// keccak256 of the code of a Safe's own proxy, as the factories of 1.1.1, 1.3.0, 1.4.1 and 1.5.0 make it; a Safe keeps
/// its proxy when it moves to another version. Source: the factories in Safe's packages; a test makes one of each.
const PROXY_CODE: [B256; 4] = [
    b256!("aea7d4252f6245f301e540cfbee27d3a88de543af8e49c5c62405d5499fab7e5"),
    b256!("b89c1b3bdf2cf8827818646bce9a8f6e372885f8c55e5c07acbd307cb133b000"),
    b256!("d7d408ebcd99b2b70be43e20253d6d92a8ea8fab29bd3be7f55b10032331fb4c"),
    b256!("4e381985ca68b3e5d27b4425fa581c19cf33146d3f887a3cfca96f55528ea46f"),
];

/// Returns `true` if code of this hash is a Safe proxy as one of the published factories makes it.
pub fn is_proxy_code(code_hash: B256) -> bool {
    PROXY_CODE.contains(&code_hash)
}

/// The known contract at this address, whatever its code here.
pub fn known_at(address: Address) -> Option<&'static Deployment> {
    KNOWN.iter().find(|d| d.address == address)
}

/// Every batch contract that was published of a version.
pub fn batch_contracts(version: SafeVersion) -> impl Iterator<Item = &'static Deployment> {
    KNOWN.iter().filter(move |d| d.contract == MultiSendCallOnly && d.version == version)
}
