use std::fs;

use anyhow::Context as _;
use local_cloud::wiring;
use probe::Architecture;

use crate::{
    contestant::{Places, Side, peer},
    results::Zip,
};

pub(super) fn measure(places: &Places) -> anyhow::Result<Vec<Zip>> {
    let ours = wiring::FUNCTIONS.map(|function| (function.name, Side::Ours, places.zips.clone()));
    let peers =
        Architecture::ALL.map(|architecture| (peer(architecture), Side::Peer, places.bench.join("peers")));
    ours.into_iter()
        .chain(peers)
        .map(|(name, side, folder)| {
            let path = folder.join(format!("{name}.zip"));
            let bytes =
                fs::metadata(&path).with_context(|| format!("{}: run `make build`", path.display()))?.len();
            Ok(Zip { name: name.to_owned(), side, bytes })
        })
        .collect()
}
