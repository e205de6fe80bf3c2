//! Which functions there are and how they are set up: the facts that `terraform/` states as well, in one table.
//! `local-cloud wiring` prints it as JSON.

use serde::Serialize;

/// One Lambda function. The name is that of its crate, its binary and its zip.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Function {
    pub name: &'static str,
    pub timeout_seconds: u64,
    pub memory_mb: u32,
    /// The IAM actions of its role, besides writing its log.
    pub actions: &'static [&'static str],
    /// What Terraform puts into its environment. AWS itself adds the region and the credentials.
    pub environment: &'static [(&'static str, Setting)],
    /// How it is pointed at this machine, by the SDKs' own variables; not set in the cloud.
    #[serde(skip)]
    pub endpoints: &'static [(&'static str, Service)],
}

impl Function {
    /// Whether it asks the model.
    pub fn streams(&self) -> bool {
        self.actions.contains(&CONVERSE_STREAM)
    }
}

/// Where a setting's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    CognitoIssuer,
    CognitoJwksUrl,
    CognitoClientId,
    ModelId,
    ModelRequestFields,
    MaxOutputTokens,
    QueueUrl,
    GraphqlUrl,
    ConnectionsUrl,
    /// Empty: there is no stream log.
    StreamLogTable,
    StreamLogRetentionSeconds,
    /// Empty: no cap.
    MaxStreamsPerUser,
    /// Empty: no cap.
    MaxOutputTokensPerUserPerDay,
    AbandonAfterSeconds,
}

/// A service with an address of its own, in the order of the ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    Cognito,
    FunctionUrl,
    WebSocketApi,
    AppSync,
    Sqs,
    Bedrock,
    DynamoDb,
}

impl Service {
    pub const ALL: [Self; 7] = [
        Self::Cognito,
        Self::FunctionUrl,
        Self::WebSocketApi,
        Self::AppSync,
        Self::Sqs,
        Self::Bedrock,
        Self::DynamoDb,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Cognito => "cognito",
            Self::FunctionUrl => "function-url",
            Self::WebSocketApi => "websocket-api",
            Self::AppSync => "appsync",
            Self::Sqs => "sqs",
            Self::Bedrock => "bedrock",
            Self::DynamoDb => "dynamodb",
        }
    }
}

/// The queue between `appsync-request` and `appsync-worker`, and its dead-letter queue.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Queue {
    pub name: &'static str,
    pub dead_letter_queue: &'static str,
    /// Six times the function's timeout, as AWS asks for.
    pub visibility_timeout_seconds: u64,
    pub retention_seconds: u64,
    pub dead_letter_retention_seconds: u64,
    pub max_receive_count: u32,
    pub batch_size: usize,
    pub maximum_concurrency: usize,
}

/// The table of the stream log. Both keys are strings.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Table {
    pub name: &'static str,
    pub hash_key: &'static str,
    pub range_key: &'static str,
    /// The attribute with the time, in Unix seconds, at which an item may be deleted.
    pub ttl: &'static str,
}

/// The routes of the WebSocket API.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct WebSocketApi {
    pub stage: &'static str,
    pub authorizer: &'static str,
    /// Route, function, and whether the integration is asynchronous.
    pub routes: &'static [(&'static str, &'static str, bool)],
}

/// Cross-origin requests to the Function URL.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Cors {
    pub methods: &'static [&'static str],
    pub headers: &'static [&'static str],
    pub expose_headers: &'static [&'static str],
    pub max_age_seconds: u32,
}

const STREAM_TIMEOUT_SECONDS: u64 = 300;
const SHORT_TIMEOUT_SECONDS: u64 = 10;
const MEMORY_MB: u32 = 128;

pub const FUNCTION_URL: &str = "function-url";
pub const AUTHORIZER: &str = "websocket-api-authorizer";
pub const SESSION: &str = "websocket-api-session";
pub const STREAM: &str = "websocket-api-stream";
pub const REQUEST: &str = "appsync-request";
pub const WORKER: &str = "appsync-worker";

const CONVERSE_STREAM: &str = "bedrock:InvokeModelWithResponseStream";
const BEDROCK_ENDPOINT: (&str, Service) = ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", Service::Bedrock);
const SQS_ENDPOINT: (&str, Service) = ("AWS_ENDPOINT_URL_SQS", Service::Sqs);
const DYNAMODB_ENDPOINT: (&str, Service) = ("AWS_ENDPOINT_URL_DYNAMODB", Service::DynamoDb);

const STREAM_LOG_TABLE: (&str, Setting) = ("STREAM_LOG_TABLE", Setting::StreamLogTable);
const STREAM_LOG_RETENTION: (&str, Setting) =
    ("STREAM_LOG_RETENTION_SECONDS", Setting::StreamLogRetentionSeconds);
const MAX_STREAMS: (&str, Setting) = ("MAX_STREAMS_PER_USER", Setting::MaxStreamsPerUser);
const MAX_TOKENS_PER_DAY: (&str, Setting) =
    ("MAX_OUTPUT_TOKENS_PER_USER_PER_DAY", Setting::MaxOutputTokensPerUserPerDay);
const ABANDON_AFTER: (&str, Setting) = ("ABANDON_AFTER_SECONDS", Setting::AbandonAfterSeconds);

// A transaction needs the actions of its items, and nothing for itself.
const READ_ITEM: &str = "dynamodb:GetItem";
const PUT_ITEM: &str = "dynamodb:PutItem";
const UPDATE_ITEM: &str = "dynamodb:UpdateItem";
const QUERY: &str = "dynamodb:Query";

pub const FUNCTIONS: [Function; 6] = [
    Function {
        name: FUNCTION_URL,
        timeout_seconds: STREAM_TIMEOUT_SECONDS,
        memory_mb: MEMORY_MB,
        actions: &[CONVERSE_STREAM, READ_ITEM, PUT_ITEM, UPDATE_ITEM, QUERY],
        environment: &[
            ("COGNITO_ISSUER", Setting::CognitoIssuer),
            ("COGNITO_JWKS_URL", Setting::CognitoJwksUrl),
            ("COGNITO_CLIENT_ID", Setting::CognitoClientId),
            ("MODEL_ID", Setting::ModelId),
            ("MODEL_REQUEST_FIELDS", Setting::ModelRequestFields),
            ("MAX_OUTPUT_TOKENS", Setting::MaxOutputTokens),
            STREAM_LOG_TABLE,
            STREAM_LOG_RETENTION,
            MAX_STREAMS,
            MAX_TOKENS_PER_DAY,
            ABANDON_AFTER,
        ],
        endpoints: &[BEDROCK_ENDPOINT, DYNAMODB_ENDPOINT],
    },
    Function {
        name: AUTHORIZER,
        timeout_seconds: SHORT_TIMEOUT_SECONDS,
        memory_mb: MEMORY_MB,
        actions: &[],
        environment: &[
            ("COGNITO_ISSUER", Setting::CognitoIssuer),
            ("COGNITO_JWKS_URL", Setting::CognitoJwksUrl),
            ("COGNITO_CLIENT_ID", Setting::CognitoClientId),
        ],
        endpoints: &[],
    },
    Function {
        name: SESSION,
        timeout_seconds: SHORT_TIMEOUT_SECONDS,
        memory_mb: MEMORY_MB,
        actions: &[UPDATE_ITEM],
        environment: &[STREAM_LOG_TABLE],
        endpoints: &[DYNAMODB_ENDPOINT],
    },
    Function {
        name: STREAM,
        timeout_seconds: STREAM_TIMEOUT_SECONDS,
        memory_mb: MEMORY_MB,
        actions: &[CONVERSE_STREAM, "execute-api:ManageConnections", READ_ITEM, PUT_ITEM, UPDATE_ITEM, QUERY],
        environment: &[
            ("CONNECTIONS_URL", Setting::ConnectionsUrl),
            ("MODEL_ID", Setting::ModelId),
            ("MODEL_REQUEST_FIELDS", Setting::ModelRequestFields),
            ("MAX_OUTPUT_TOKENS", Setting::MaxOutputTokens),
            STREAM_LOG_TABLE,
            STREAM_LOG_RETENTION,
            MAX_STREAMS,
            MAX_TOKENS_PER_DAY,
            ABANDON_AFTER,
        ],
        endpoints: &[BEDROCK_ENDPOINT, DYNAMODB_ENDPOINT],
    },
    Function {
        name: REQUEST,
        timeout_seconds: SHORT_TIMEOUT_SECONDS,
        memory_mb: MEMORY_MB,
        actions: &["sqs:SendMessage", READ_ITEM, PUT_ITEM, UPDATE_ITEM, QUERY],
        environment: &[
            ("COGNITO_CLIENT_ID", Setting::CognitoClientId),
            ("QUEUE_URL", Setting::QueueUrl),
            ("MAX_OUTPUT_TOKENS", Setting::MaxOutputTokens),
            STREAM_LOG_TABLE,
            STREAM_LOG_RETENTION,
            MAX_STREAMS,
            MAX_TOKENS_PER_DAY,
        ],
        endpoints: &[SQS_ENDPOINT, DYNAMODB_ENDPOINT],
    },
    Function {
        name: WORKER,
        timeout_seconds: STREAM_TIMEOUT_SECONDS,
        memory_mb: MEMORY_MB,
        actions: &[
            CONVERSE_STREAM,
            "sqs:ChangeMessageVisibility",
            "appsync:GraphQL:Mutation.publishToken",
            READ_ITEM,
            PUT_ITEM,
            UPDATE_ITEM,
        ],
        environment: &[
            ("QUEUE_URL", Setting::QueueUrl),
            ("GRAPHQL_URL", Setting::GraphqlUrl),
            ("MODEL_ID", Setting::ModelId),
            ("MODEL_REQUEST_FIELDS", Setting::ModelRequestFields),
            STREAM_LOG_TABLE,
            STREAM_LOG_RETENTION,
        ],
        endpoints: &[BEDROCK_ENDPOINT, SQS_ENDPOINT, DYNAMODB_ENDPOINT],
    },
];

pub const QUEUE: Queue = Queue {
    name: "tristream-prompts",
    dead_letter_queue: "tristream-prompts-dead-letter",
    visibility_timeout_seconds: 6 * STREAM_TIMEOUT_SECONDS,
    // Longer than `max_receive_count` times the visibility timeout.
    retention_seconds: 6 * 60 * 60,
    dead_letter_retention_seconds: 14 * 24 * 60 * 60,
    max_receive_count: 3,
    batch_size: 1,
    maximum_concurrency: 20,
};

pub const TABLE: Table =
    Table { name: "tristream-streams", hash_key: "pk", range_key: "sk", ttl: "expires_at" };

pub const WEBSOCKET_API: WebSocketApi = WebSocketApi {
    stage: "live",
    authorizer: AUTHORIZER,
    routes: &[
        ("$connect", SESSION, false),
        ("$disconnect", SESSION, false),
        ("$default", SESSION, false),
        ("cancel", SESSION, false),
        ("stream", STREAM, true),
        ("resume", STREAM, true),
    ],
};

/// What the operator chooses when nothing else is said.
pub mod defaults {
    pub const MODEL_ID: &str = "us.anthropic.claude-haiku-5-5";
    pub const MODEL_REQUEST_FIELDS: &str = r#"{"thinking":{"type":"disabled"}}"#;
    pub const MAX_OUTPUT_TOKENS: u32 = 1024;
    pub const STREAM_LOG_RETENTION_SECONDS: u32 = 24 * 60 * 60;
    pub const MAX_STREAMS_PER_USER: u32 = 10;
    pub const MAX_OUTPUT_TOKENS_PER_USER_PER_DAY: u32 = 200_000;
    pub const ABANDON_AFTER_SECONDS: u32 = 30;
}

/// What a browser may do with the Function URL. Which origins may is the operator's choice.
pub const CORS: Cors = Cors {
    methods: &["POST", "GET", "DELETE"],
    headers: &["authorization", "content-type", "last-event-id"],
    expose_headers: &["x-amzn-requestid"],
    max_age_seconds: 86_400,
};

/// The whole table as JSON.
pub fn to_json() -> String {
    let table = serde_json::json!({
        "functions": FUNCTIONS,
        "queue": QUEUE,
        "table": TABLE,
        "websocket_api": WEBSOCKET_API,
        "cors": CORS,
        "defaults": {
            "model_id": defaults::MODEL_ID,
            "model_request_fields": defaults::MODEL_REQUEST_FIELDS,
            "max_output_tokens": defaults::MAX_OUTPUT_TOKENS.to_string(),
            "stream_log_retention_seconds": defaults::STREAM_LOG_RETENTION_SECONDS.to_string(),
            "max_streams_per_user": defaults::MAX_STREAMS_PER_USER.to_string(),
            "max_output_tokens_per_user_per_day": defaults::MAX_OUTPUT_TOKENS_PER_USER_PER_DAY.to_string(),
            "abandon_after_seconds": defaults::ABANDON_AFTER_SECONDS.to_string(),
        },
    });
    serde_json::to_string_pretty(&table).expect("strings and numbers always serialize")
}
