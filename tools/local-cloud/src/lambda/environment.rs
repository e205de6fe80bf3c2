//! An execution environment: one process, its Runtime API endpoint, and its life from init to exit.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard, OnceLock},
    time::{Duration, Instant, SystemTime},
};

use futures_util::FutureExt;
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    sync::{Mutex as AsyncMutex, Notify, mpsc, watch},
    task::JoinSet,
    time::timeout,
};
use uuid::Uuid;

use super::{
    FunctionConfig, InvokeError, OnDisconnect, clock,
    invocation::{Invocation, Report},
    logs::Logs,
    runtime_api,
};

/// How long an init may take (Lambda execution environment lifecycle: 10 seconds).
const INIT_LIMIT: Duration = Duration::from_secs(10);

pub(super) struct Environment {
    pub(super) function: String,
    pub(super) pid: u32,
    pub(super) on_disconnect: OnDisconnect,
    life: watch::Sender<Life>,
    kill: Notify,
    dispatched: mpsc::UnboundedSender<Invocation>,
    pub(super) waiting: AsyncMutex<mpsc::UnboundedReceiver<Invocation>>,
    current: Mutex<Option<Current>>,
    init_error: Mutex<Option<String>>,
    executed: Instant,
    init: OnceLock<Duration>,
}

/// Each stage is reached once, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Life {
    Starting,
    /// It has asked for its first invocation.
    Ready,
    Exited,
    /// Everything that the process had sent before it exited has been handled.
    Closed,
}

/// The invocation that the bootstrap works on and has not begun to answer.
struct Current {
    request_id: String,
    reports: mpsc::UnboundedSender<Report>,
}

impl Environment {
    /// Starts the process; see `ready`. The error is the reason.
    pub(super) async fn start(config: &FunctionConfig, logs: &Arc<Logs>) -> Result<Arc<Self>, String> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let named = |error: std::io::Error| format!("{}: {error}", config.bootstrap.display());
        let bootstrap = config.bootstrap.canonicalize().map_err(named)?;
        let mut child = command(config, &bootstrap, address).spawn().map_err(named)?;
        // `spawn` returns when the process has executed the bootstrap, or could not.
        let executed = Instant::now();

        let mut output = JoinSet::new();
        if let Some(stdout) = child.stdout.take() {
            output.spawn(Arc::clone(logs).collect(config.name.clone(), stdout));
        }
        if let Some(stderr) = child.stderr.take() {
            output.spawn(Arc::clone(logs).collect(config.name.clone(), stderr));
        }
        let (dispatched, waiting) = mpsc::unbounded_channel();
        let environment = Arc::new(Self {
            function: config.name.clone(),
            pid: child.id().unwrap_or_default(),
            on_disconnect: config.on_disconnect,
            life: watch::Sender::new(Life::Starting),
            kill: Notify::new(),
            dispatched,
            waiting: AsyncMutex::new(waiting),
            current: Mutex::default(),
            init_error: Mutex::default(),
            executed,
            init: OnceLock::new(),
        });
        tokio::spawn(Arc::clone(&environment).run(child, listener, output));
        Ok(environment)
    }

    /// Waits for the end of the init: the first `/next`, `/init/error`, an exit, or the limit.
    pub(super) async fn ready(&self) -> Result<(), String> {
        let mut life = self.life.subscribe();
        let reached = timeout(INIT_LIMIT, life.wait_for(|life| *life > Life::Starting)).await;
        match reached.map(|life| life.map_or(Life::Closed, |life| *life)) {
            Ok(Life::Ready) => Ok(()),
            Ok(Life::Starting | Life::Exited | Life::Closed) => {
                self.closed().await;
                let reported =
                    self.init_error.lock().expect("nothing panics while it holds the error").take();
                Err(reported.unwrap_or_else(|| "it exited during its init".to_owned()))
            }
            Err(_) => {
                self.kill();
                Err(format!("its init took more than {INIT_LIMIT:?}"))
            }
        }
    }

    /// From the bootstrap's start to its first `/next`; nothing before that.
    pub(super) fn init(&self) -> Option<Duration> {
        self.init.get().copied()
    }

    pub(super) fn dispatch(&self, invocation: Invocation) {
        // The receiver lives as long as `self`.
        drop(self.dispatched.send(invocation));
    }

    /// The bootstrap works on this from now on.
    pub(super) fn begin(&self, request_id: String, reports: mpsc::UnboundedSender<Report>) {
        *self.current() = Some(Current { request_id, reports });
    }

    /// A bootstrap that asks for the next invocation without having answered the last has failed the last.
    pub(super) fn abandon_unanswered(&self) {
        if let Some(current) = self.current().take() {
            drop(current.reports.send(Report::Answered(Err(InvokeError::Function {
                error_type: "Runtime.NoAnswer".to_owned(),
                message: "the next invocation was asked for before this one was answered".to_owned(),
            }))));
        }
    }

    /// The right to answer an invocation, given once.
    pub(super) fn claim(&self, request_id: &str) -> Option<mpsc::UnboundedSender<Report>> {
        let mut current = self.current();
        current.take_if(|current| current.request_id == request_id).map(|current| current.reports)
    }

    pub(super) fn advance(&self, to: Life) {
        if to == Life::Ready {
            self.init.get_or_init(|| self.executed.elapsed());
        }
        self.life.send_if_modified(|life| {
            let later = to > *life;
            *life = to.max(*life);
            later
        });
    }

    /// `false` if the init is over already.
    pub(super) fn fail_init(&self, reason: String) -> bool {
        let starting = *self.life.borrow() == Life::Starting;
        if starting {
            *self.init_error.lock().expect("nothing panics while it holds the error") = Some(reason);
            self.kill();
        }
        starting
    }

    pub(super) fn is_alive(&self) -> bool {
        *self.life.borrow() < Life::Exited
    }

    pub(super) fn kill(&self) {
        self.kill.notify_one();
    }

    pub(super) async fn exited(&self) {
        self.reached(Life::Exited).await;
    }

    pub(super) async fn closed(&self) {
        self.reached(Life::Closed).await;
    }

    async fn reached(&self, stage: Life) {
        // The sender lives as long as `self`.
        drop(self.life.subscribe().wait_for(|life| *life >= stage).await);
    }

    async fn run(self: Arc<Self>, mut child: Child, listener: TcpListener, mut output: JoinSet<()>) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                    connections.spawn(runtime_api::serve(Arc::clone(&self), stream));
                },
                Some(_) = connections.join_next() => {}
                // A process that is already gone needs no signal; `wait` is about to tell.
                () = self.kill.notified() => drop(child.start_kill()),
                _ = child.wait() => break,
            }
        }
        self.advance(Life::Exited);
        while let Some(Ok((stream, _))) = listener.accept().now_or_never() {
            connections.spawn(runtime_api::serve(Arc::clone(&self), stream));
        }
        while connections.join_next().await.is_some() {}
        // A process that this one left behind could hold its output open.
        drop(timeout(Duration::from_secs(1), async { while output.join_next().await.is_some() {} }).await);
        self.advance(Life::Closed);
    }

    fn current(&self) -> MutexGuard<'_, Option<Current>> {
        self.current.lock().expect("nothing panics while it holds the invocation")
    }
}

/// "Defined runtime environment variables" of the Lambda developer guide. Nothing of the developer's own
/// environment gets in, least of all AWS credentials.
fn command(config: &FunctionConfig, bootstrap: &Path, address: SocketAddr) -> Command {
    let today = clock::iso(SystemTime::now()).get(..10).unwrap_or_default().replace('-', "/");
    let mut command = Command::new(bootstrap);
    command
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("_HANDLER", "bootstrap")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", &config.name)
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", config.memory_mb.to_string())
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", config.name))
        .env("AWS_LAMBDA_LOG_STREAM_NAME", format!("{today}/[$LATEST]{}", Uuid::new_v4().simple()))
        .envs(config.environment.iter().map(|(name, value)| (name, value)))
        .current_dir(bootstrap.parent().unwrap_or(Path::new("/")))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}
