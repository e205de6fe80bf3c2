//! The verifier as its callers see it: real RSA keys, real tokens, and a user pool in memory.

mod cache;
mod claims;
mod forgeries;
mod headers;
mod pool;
mod shapes;
