//! Keys: hardware wallets and encrypted keystores.
