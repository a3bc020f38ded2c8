//! The calls that a Safe answers.

use alloy::sol;

sol! {
    /// The views of a Safe that the program asks for; the same selectors from 1.0.0 on unless said otherwise.
    interface ISafe {
        function VERSION() external view returns (string);
        function getOwners() external view returns (address[]);
        function getThreshold() external view returns (uint256);
        function isOwner(address owner) external view returns (bool);
        /// From 1.1.1 on.
        function getModulesPaginated(address start, uint256 pageSize) external view returns (address[] array, address next);
        function approvedHashes(address owner, bytes32 hash) external view returns (uint256);
        function getTransactionHash(
            address to, uint256 value, bytes data, uint8 operation, uint256 safeTxGas, uint256 baseGas,
            uint256 gasPrice, address gasToken, address refundReceiver, uint256 nonce
        ) external view returns (bytes32);
    }
}
