//! The verifier as its callers see it: real RSA keys, the token corpus, and a user pool in memory.

mod cache;
mod corpus;
mod key_set;
mod mutations;
mod pool;
mod report;
