//! Rehearsals against the real thing: anvil executes the same transaction, and every effect must be the same.

mod acts;
mod cold;
mod matrix;
mod pure;
mod stage;
