//! The families of cases, each with what it is about.

mod algorithms;
mod claims;
mod encoding;
mod good;
mod headers;
mod json;
mod key_ids;
mod shapes;
mod signatures;
mod times;
mod twice;

use crate::mint::Mint;

type Add = fn(&mut Mint<'_>);

pub(crate) const ALL: [(&str, Add); 27] = [
    ("good tokens", good::add),
    ("algorithm none", algorithms::none),
    ("HMAC keyed by the public key", algorithms::hmac),
    ("another algorithm", algorithms::others),
    ("algorithm mistyped", algorithms::mistyped),
    ("key id", key_ids::add),
    ("header brings a key", headers::keys),
    ("header brings rules", headers::rules),
    ("type", headers::types),
    ("header member twice", twice::header),
    ("claim twice", twice::claims),
    ("exp", times::expires),
    ("nbf and iat", times::begins),
    ("issuer", claims::issuer),
    ("app client", claims::client),
    ("token use", claims::token_use),
    ("subject", claims::subject),
    ("signature", signatures::add),
    ("one bit of the signature", signatures::bits),
    ("parts", shapes::parts),
    ("truncated", shapes::truncated),
    ("encrypted shapes", shapes::encrypted),
    ("nested", shapes::nested),
    ("sizes", shapes::sizes),
    ("base64", encoding::add),
    ("JSON", json::add),
    ("Unicode", json::unicode),
];
