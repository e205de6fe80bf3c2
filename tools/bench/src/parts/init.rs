use local_cloud::{
    lambda::{FunctionConfig, Lambda},
    wiring,
};
use probe::Architecture;

use super::Effort;
use crate::{
    contestant::{Contestant, Places, Side},
    process,
    results::Init,
    stage::{Setting, Stage},
    summary::{Summary, ms},
};

/// One function as it is configured in its cloud, and what its starts were like.
struct Starts {
    side: Side,
    config: FunctionConfig,
    init_ms: Vec<f64>,
    cpu_ms: Vec<f64>,
    resident_mb: Vec<f64>,
}

/// Every function as it is deployed, and those that stream also without the log and as a peer. Each starts once a round.
pub(super) async fn measure(places: &Places, effort: Effort) -> anyhow::Result<Vec<Init>> {
    let mut stages = Vec::new();
    let mut all = Vec::new();
    let deployed =
        Stage::open(Contestant::new(Architecture::FunctionUrl, Side::Logged), Setting::default(), places)
            .await?;
    for function in wiring::FUNCTIONS {
        all.extend(Starts::of(&deployed, function.name));
    }
    stages.push(deployed);
    for architecture in Architecture::ALL {
        for side in [Side::Ours, Side::Peer] {
            let contestant = Contestant::new(architecture, side);
            let stage = Stage::open(contestant, Setting::default(), places).await?;
            all.extend(Starts::of(&stage, contestant.function()));
            stages.push(stage);
        }
    }
    // The first start of each reads its files into the system's cache, which is not what is measured.
    for round in 0..=effort.times(20, 3) {
        for starts in &mut all {
            starts.start(round > 0).await?;
        }
    }
    for stage in stages {
        stage.close().await;
    }
    Ok(all.into_iter().map(Starts::into_row).collect())
}

impl Starts {
    fn of(stage: &Stage, function: &str) -> Option<Self> {
        let config = stage.cloud.lambda.config(function)?;
        let side = stage.contestant.side;
        Some(Self { side, config, init_ms: Vec::new(), cpu_ms: Vec::new(), resident_mb: Vec::new() })
    }

    async fn start(&mut self, counts: bool) -> anyhow::Result<()> {
        let lambda = Lambda::new(vec![self.config.clone()]);
        let provisioned = lambda.provision(&self.config.name).await?;
        let usage = process::usage(provisioned.pid)?;
        lambda.shutdown().await;
        if counts {
            self.init_ms.push(ms(provisioned.init));
            self.cpu_ms.push(ms(usage.cpu));
            self.resident_mb.push(usage.resident_mb);
        }
        Ok(())
    }

    fn into_row(self) -> Init {
        Init {
            function: self.config.name,
            side: self.side,
            ms: Summary::of(self.init_ms),
            cpu_ms: Summary::of(self.cpu_ms),
            resident_mb: Summary::of(self.resident_mb),
        }
    }
}
