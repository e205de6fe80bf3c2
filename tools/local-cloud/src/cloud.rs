//! The services wired together, the way Terraform wires the real ones.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::bail;
use tokio::task::JoinSet;

use self::ports::{Addresses, bind, bind_control, serve};
use crate::{
    appsync::{AppSync, AppSyncConfig},
    bedrock::{Bedrock, Source},
    cognito::{User, UserPool},
    dynamodb::{DynamoDb, TableConfig},
    faults::{Faults, control},
    function_url::{self, Cors},
    lambda::{FunctionConfig, Lambda, OnDisconnect},
    sigv4::{ACCOUNT_ID, Identities, REGION},
    sqs::{EventSourceConfig, QueueConfig, Queues},
    websocket_api::{self, WebSocketApi, WebSocketApiConfig},
    wiring::{self, CORS, Function, QUEUE, Service, Setting, TABLE, WEBSOCKET_API, defaults},
};

mod ports;

/// What can be chosen.
#[derive(Debug, Clone)]
pub struct Options {
    /// The first of seven ports, and of an eighth for `control`; `None`: any free ones.
    pub base_port: Option<u16>,
    /// The folder of the built bootstraps, each named like its function.
    pub bootstraps: PathBuf,
    /// The repository: the schema, the resolvers and the request template are read where they are deployed from.
    pub repository: PathBuf,
    pub source: Source,
    pub users: Vec<User>,
    /// A file of log lines per function, if given.
    pub log_dir: Option<PathBuf>,
    /// Environment variables for every function, over those of the wiring.
    pub environment: Vec<(String, String)>,
    pub on_disconnect: OnDisconnect,
    /// How long the functions that stream may run, unless as long as they are deployed with.
    pub stream_timeout: Option<Duration>,
    /// Of the queue's event source, and how many batches are answered at once.
    pub batch_size: usize,
    pub maximum_concurrency: usize,
    /// Whether the functions know the table of the stream log.
    pub stream_log: bool,
    /// Whether `Cloud::faults` can be planned over HTTP too.
    pub control: bool,
}

/// The running cloud. Dropping it ends every process it started.
pub struct Cloud {
    pub lambda: Lambda,
    pub user_pool: UserPool,
    pub bedrock: Bedrock,
    pub queues: Queues,
    pub dynamodb: DynamoDb,
    pub websocket_api: WebSocketApi,
    pub appsync: AppSync,
    /// What goes wrong: nothing, until it is planned.
    pub faults: Faults,
    control: Option<SocketAddr>,
    addresses: Addresses,
    tasks: JoinSet<()>,
}

/// The one who can sign in, as in the documentation.
pub fn test_user() -> User {
    User {
        username: "testuser".to_owned(),
        email: "test@example.com".to_owned(),
        password: "TestPassword123!".to_owned(),
        sub: "7e57a5e2-0000-4000-8000-000000000001".to_owned(),
    }
}

impl Cloud {
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        check_bootstraps(&options)?;
        let (listeners, addresses) = bind(options.base_port).await?;
        let control = if options.control { Some(bind_control(options.base_port).await?) } else { None };
        let faults = Faults::default();
        let issuer = format!("https://cognito-idp.{REGION}.amazonaws.com/{}", UserPool::id_in(REGION));
        let users = options.users.clone();
        // An RSA key is generated, which takes a moment.
        let pool_issuer = issuer.clone();
        let user_pool =
            tokio::task::spawn_blocking(move || UserPool::new(REGION, &pool_issuer, users)).await?;

        let identities = Identities::default();
        let settings = Settings {
            addresses: &addresses,
            issuer: &issuer,
            client_id: user_pool.client_id(),
            stream_log: options.stream_log,
        };
        let functions =
            wiring::FUNCTIONS.map(|function| settings.configure(&function, &options, &identities));
        let mut lambda = Lambda::new(functions.into()).with_faults(faults.clone());
        if let Some(dir) = &options.log_dir {
            lambda = lambda.with_log_dir(dir.clone());
        }

        let modules = options.repository.join("terraform/modules");
        let bedrock = Bedrock::new(options.source.clone(), identities.clone(), faults.clone());
        let queues = Queues::new(queues(), identities.clone(), faults.clone());
        let dynamodb = DynamoDb::new(vec![table()], identities.clone(), faults.clone());
        let websocket_api = WebSocketApi::try_new(
            WebSocketApiConfig {
                stage: WEBSOCKET_API.stage.to_owned(),
                authorizer: WEBSOCKET_API.authorizer.to_owned(),
                session: wiring::SESSION.to_owned(),
                stream: wiring::STREAM.to_owned(),
                stream_template: modules.join("websocket-api/stream-request.json.vtl"),
                idle_timeout: websocket_api::IDLE_TIMEOUT,
                max_duration: websocket_api::MAX_DURATION,
            },
            lambda.clone(),
            identities.clone(),
            faults.clone(),
        )?;
        let appsync = AppSync::new(
            AppSyncConfig {
                schema: modules.join("appsync/schema.graphql"),
                resolvers: modules.join("appsync/resolvers"),
                request_function: wiring::REQUEST.to_owned(),
            },
            user_pool.clone(),
            identities,
            lambda.clone(),
            faults.clone(),
        )?;

        let mut tasks = JoinSet::new();
        let routers = [
            user_pool.router(),
            function_url::router(lambda.clone(), wiring::FUNCTION_URL, cors(), faults.clone()),
            websocket_api.router(),
            appsync.router(),
            queues.router(),
            bedrock.router(),
            dynamodb.router(),
        ];
        for (listener, router) in listeners.into_iter().zip(routers) {
            tasks.spawn(serve(listener, router));
        }
        tasks.spawn(queues.clone().poll(event_source(&options), lambda.clone()));
        let control = match control {
            Some(listener) => {
                let address = listener.local_addr()?;
                tasks.spawn(serve(listener, control::router(faults.clone(), bedrock.clone())));
                Some(address)
            }
            None => None,
        };
        Ok(Self {
            lambda,
            user_pool,
            bedrock,
            queues,
            dynamodb,
            websocket_api,
            appsync,
            faults,
            control,
            addresses,
            tasks,
        })
    }

    /// The frontend's settings, the keys that a deployed stack has too.
    pub fn frontend_env(&self) -> Vec<(&'static str, String)> {
        let at = |service| self.addresses.of(service);
        vec![
            ("VITE_AWS_REGION", REGION.to_owned()),
            ("VITE_USER_POOL_ID", self.user_pool.pool_id().to_owned()),
            ("VITE_USER_POOL_CLIENT_ID", self.user_pool.client_id().to_owned()),
            ("VITE_USER_POOL_ENDPOINT", format!("http://{}/", at(Service::Cognito))),
            ("VITE_AUTH_FLOW", "USER_PASSWORD_AUTH".to_owned()),
            ("VITE_FUNCTION_URL", format!("http://{}/", at(Service::FunctionUrl))),
            ("VITE_WEBSOCKET_URL", format!("ws://{}/{}", at(Service::WebSocketApi), WEBSOCKET_API.stage)),
            ("VITE_GRAPHQL_URL", format!("http://{}/graphql", at(Service::AppSync))),
            ("VITE_GRAPHQL_REALTIME_URL", format!("ws://{}/graphql", at(Service::AppSync))),
        ]
    }

    /// Where faults can be planned over HTTP, if they can.
    pub fn control(&self) -> Option<SocketAddr> {
        self.control
    }

    /// The same as the text of a dotenv file.
    pub fn frontend_dotenv(&self) -> String {
        let lines = self.frontend_env().into_iter().map(|(name, value)| format!("{name}={value}"));
        lines.collect::<Vec<_>>().join("\n") + "\n"
    }

    /// Ends every environment and waits for it, then the services.
    pub async fn shutdown(mut self) {
        self.lambda.shutdown().await;
        self.tasks.shutdown().await;
    }
}

/// What the functions' settings are made of.
struct Settings<'a> {
    addresses: &'a Addresses,
    issuer: &'a str,
    client_id: &'a str,
    stream_log: bool,
}

impl Settings<'_> {
    fn configure(&self, function: &Function, options: &Options, identities: &Identities) -> FunctionConfig {
        let credentials = identities.issue(function.name, function.actions);
        let mut environment: Vec<(String, String)> = vec![
            ("AWS_REGION".to_owned(), REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID".to_owned(), credentials.access_key_id),
            ("AWS_SECRET_ACCESS_KEY".to_owned(), credentials.secret_access_key),
            ("AWS_SESSION_TOKEN".to_owned(), credentials.session_token),
        ];
        let settings = function.environment.iter().map(|(name, setting)| (*name, self.value(*setting)));
        let endpoints = function.endpoints.iter().map(|(name, service)| (*name, self.url(*service)));
        environment.extend(settings.chain(endpoints).map(|(name, value)| (name.to_owned(), value)));
        environment.extend(options.environment.iter().cloned());
        FunctionConfig {
            name: function.name.to_owned(),
            bootstrap: options.bootstraps.join(function.name),
            environment,
            timeout: Self::timeout(function, options),
            memory_mb: function.memory_mb,
            concurrency: MAX_ENVIRONMENTS,
            on_disconnect: options.on_disconnect,
        }
    }

    fn timeout(function: &Function, options: &Options) -> Duration {
        let deployed = Duration::from_secs(function.timeout_seconds);
        options.stream_timeout.filter(|_| function.streams()).unwrap_or(deployed)
    }

    fn value(&self, setting: Setting) -> String {
        match setting {
            Setting::CognitoIssuer => self.issuer.to_owned(),
            Setting::CognitoJwksUrl => {
                format!("{}/{}/.well-known/jwks.json", self.url(Service::Cognito), UserPool::id_in(REGION))
            }
            Setting::CognitoClientId => self.client_id.to_owned(),
            Setting::ModelId => defaults::MODEL_ID.to_owned(),
            Setting::ModelRequestFields => defaults::MODEL_REQUEST_FIELDS.to_owned(),
            Setting::MaxOutputTokens => defaults::MAX_OUTPUT_TOKENS.to_string(),
            Setting::QueueUrl => format!("{}/{ACCOUNT_ID}/{}", self.url(Service::Sqs), QUEUE.name),
            Setting::GraphqlUrl => format!("{}/graphql", self.url(Service::AppSync)),
            Setting::ConnectionsUrl => format!("{}/{}", self.url(Service::WebSocketApi), WEBSOCKET_API.stage),
            Setting::StreamLogTable => {
                if self.stream_log {
                    TABLE.name.to_owned()
                } else {
                    String::new()
                }
            }
            Setting::StreamLogRetentionSeconds => defaults::STREAM_LOG_RETENTION_SECONDS.to_string(),
            Setting::MaxStreamsPerUser => defaults::MAX_STREAMS_PER_USER.to_string(),
            Setting::MaxOutputTokensPerUserPerDay => defaults::MAX_OUTPUT_TOKENS_PER_USER_PER_DAY.to_string(),
            Setting::AbandonAfterSeconds => defaults::ABANDON_AFTER_SECONDS.to_string(),
        }
    }

    fn url(&self, service: Service) -> String {
        format!("http://{}", self.addresses.of(service))
    }
}

/// Per function; a small machine should not be asked for more.
const MAX_ENVIRONMENTS: usize = 300;

fn check_bootstraps(options: &Options) -> anyhow::Result<()> {
    for function in wiring::FUNCTIONS {
        let path = options.bootstraps.join(function.name);
        if !path.is_file() {
            bail!("{} has not been built: run `make build`", path.display());
        }
    }
    Ok(())
}

fn queues() -> Vec<QueueConfig> {
    vec![
        QueueConfig {
            name: QUEUE.name.to_owned(),
            visibility_timeout: Duration::from_secs(QUEUE.visibility_timeout_seconds),
            retention: Duration::from_secs(QUEUE.retention_seconds),
            dead_letter_queue: Some(QUEUE.dead_letter_queue.to_owned()),
            max_receive_count: QUEUE.max_receive_count,
        },
        QueueConfig {
            name: QUEUE.dead_letter_queue.to_owned(),
            visibility_timeout: Duration::from_secs(30),
            retention: Duration::from_secs(QUEUE.dead_letter_retention_seconds),
            dead_letter_queue: None,
            max_receive_count: u32::MAX,
        },
    ]
}

fn table() -> TableConfig {
    TableConfig {
        name: TABLE.name.to_owned(),
        hash_key: TABLE.hash_key.to_owned(),
        range_key: TABLE.range_key.to_owned(),
        ttl: TABLE.ttl.to_owned(),
    }
}

fn event_source(options: &Options) -> EventSourceConfig {
    EventSourceConfig {
        queue: QUEUE.name.to_owned(),
        function: wiring::WORKER.to_owned(),
        batch_size: options.batch_size,
        maximum_concurrency: options.maximum_concurrency,
    }
}

/// Any page on this machine may call.
fn cors() -> Cors {
    let list = |items: &[&str]| items.iter().map(|&item| item.to_owned()).collect();
    Cors {
        allow_origins: list(&["*"]),
        allow_methods: list(CORS.methods),
        allow_headers: list(CORS.headers),
        expose_headers: list(CORS.expose_headers),
        max_age_seconds: CORS.max_age_seconds,
    }
}
