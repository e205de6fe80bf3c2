//! The store in one `DynamoDB` table.
//!
//! `pk` names a stream with its owner, or a user; `sk` is `head` or `chunk#<last seq>` of a stream, `usage` of a user.
//! `head` sorts after every chunk, so that one query reads what is new and how things stand.

mod items;
mod take;

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    config::{Builder, retry::RetryConfig, timeout::TimeoutConfig},
    error::SdkError,
    operation::update_item::{UpdateItemError, UpdateItemOutput},
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use aws_types::SdkConfig;
use chat::Backoff;

use crate::store::{Chunk, Finish, Head, Key, Page, Settle, Store, StoreError, Take, Taken};

/// Chunks that are read at once; whoever wants more asks again.
const PAGE_ITEMS: i32 = 100;

/// All answers of one user begin and end on the same item, and `DynamoDB` refuses what meets there. The SDK does not try
/// that again (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>).
const ON_CONFLICT: Backoff =
    Backoff { attempts: 6, base: Duration::from_millis(10), cap: Duration::from_millis(100) };

/// A table of streams.
#[derive(Debug, Clone)]
pub struct DynamoDb {
    client: Client,
    table: String,
}

/// A client that would rather fail than keep a stream waiting. The SDK retries what passes: throttling, 5xx, timeouts.
pub fn client(config: &SdkConfig) -> Client {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_secs(1))
        .operation_timeout(Duration::from_secs(3))
        .build();
    let retries =
        RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(50));
    Client::from_conf(Builder::from(config).timeout_config(timeouts).retry_config(retries).build())
}

impl DynamoDb {
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }
}

impl Store for DynamoDb {
    async fn take(&self, key: &Key, take: &Take) -> Result<Taken, StoreError> {
        take::take(self, key, take).await
    }

    async fn look(&self, key: &Key) -> Result<Option<Head>, StoreError> {
        let get = self.client.get_item().table_name(&self.table).set_key(Some(items::head_key(key)));
        let output = get
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| StoreError::new("read a stream", error))?;
        output.item.map(|item| items::head(&item)).transpose()
    }

    async fn renew(&self, key: &Key, attempt: &str, lease_until: u64) -> Result<Option<Head>, StoreError> {
        let update = Update::of(items::head_key(key))
            .set("SET lease_until = :lease_until")
            .only_if("attempt = :attempt AND phase = :running")
            .number(":lease_until", lease_until)
            .text(":attempt", attempt)
            .text(":running", "running");
        match self.update(update, "renew a lease").await? {
            Updated::Now(item) => items::head(&item).map(Some),
            Updated::NotNow(_) => Ok(None),
        }
    }

    async fn append(&self, key: &Key, chunk: &Chunk) -> Result<(), StoreError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(items::of_chunk(key, chunk)));
        put.send().await.map(drop).map_err(|error| StoreError::new("keep events", error))
    }

    async fn finish(&self, key: &Key, finish: &Finish) -> Result<bool, StoreError> {
        self.update_if(items::finish(key, finish), "keep the end of a stream").await
    }

    async fn settle(&self, key: &Key, settle: &Settle) -> Result<(), StoreError> {
        let id = key.canonical_id();
        let same_day = Update::of(items::usage_key(key))
            .set("SET tokens = tokens - :unused, rev = rev + :one REMOVE running.#id")
            .only_if("attribute_exists(running.#id) AND usage_day = :day")
            .name("#id", &id)
            .number(":unused", settle.unused)
            .number(":day", settle.day)
            .number(":one", 1);
        if self.update_if(same_day, "settle an account").await? {
            return Ok(());
        }
        let another_day = Update::of(items::usage_key(key))
            .set("SET rev = rev + :one REMOVE running.#id")
            .only_if("attribute_exists(running.#id)")
            .name("#id", &id)
            .number(":one", 1);
        self.update_if(another_day, "settle an account").await.map(drop)
    }

    async fn cancel(&self, key: &Key) -> Result<bool, StoreError> {
        let update = Update::of(items::head_key(key))
            .set("SET cancel_requested = :true")
            .only_if("attribute_exists(pk)")
            .value(":true", AttributeValue::Bool(true));
        self.update_if(update, "ask for the end of a stream").await
    }

    async fn watch(&self, key: &Key, until: u64) -> Result<(), StoreError> {
        let update = Update::of(items::head_key(key))
            .set("SET watched_until = :until")
            .only_if("attribute_exists(pk)")
            .number(":until", until);
        self.update_if(update, "note a reader").await.map(drop)
    }

    async fn read(&self, key: &Key, after: Option<u64>) -> Result<Page, StoreError> {
        let output = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk > :after")
            .expression_attribute_values(":pk", AttributeValue::S(items::stream_pk(key)))
            .expression_attribute_values(":after", AttributeValue::S(items::chunks_after(after)))
            .consistent_read(true)
            .limit(PAGE_ITEMS)
            .send()
            .await
            .map_err(|error| StoreError::new("read events", error))?;
        items::page(&output.items.unwrap_or_default())
    }
}

type Item = HashMap<String, AttributeValue>;

/// What came of a conditional update: the item as it is now, or, where the condition fails, as it was.
enum Updated {
    Now(Item),
    NotNow(Option<Item>),
}

impl DynamoDb {
    async fn update_if(&self, update: Update, did: &'static str) -> Result<bool, StoreError> {
        Ok(match self.update(update, did).await? {
            Updated::Now(_) => true,
            Updated::NotNow(_) => false,
        })
    }

    async fn update(&self, update: Update, did: &'static str) -> Result<Updated, StoreError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match self.send(update.clone()).await {
                Ok(output) => return Ok(Updated::Now(output.attributes.unwrap_or_default())),
                Err(error) => error,
            };
            match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    return Ok(Updated::NotNow(failed.item.clone()));
                }
                Some(UpdateItemError::TransactionConflictException(_)) => {
                    let Some(pause) = ON_CONFLICT.pause_after(tries) else {
                        return Err(StoreError::new(did, error));
                    };
                    tokio::time::sleep(pause).await;
                }
                _ => return Err(StoreError::new(did, error)),
            }
        }
    }

    async fn send(&self, update: Update) -> Result<UpdateItemOutput, SdkError<UpdateItemError>> {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(update.key))
            .update_expression(update.expression)
            .condition_expression(update.condition)
            .set_expression_attribute_names(some(update.names))
            .set_expression_attribute_values(some(update.values))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await
    }
}

/// A conditional update of one item.
#[derive(Clone)]
struct Update {
    key: Item,
    expression: String,
    condition: String,
    names: HashMap<String, String>,
    values: Item,
}

impl Update {
    fn of(key: Item) -> Self {
        let (names, values) = (HashMap::new(), HashMap::new());
        Self { key, expression: String::new(), condition: String::new(), names, values }
    }

    fn set(mut self, expression: impl Into<String>) -> Self {
        self.expression = expression.into();
        self
    }

    fn only_if(mut self, condition: impl Into<String>) -> Self {
        self.condition = condition.into();
        self
    }

    fn name(mut self, placeholder: &str, name: &str) -> Self {
        self.names.insert(placeholder.to_owned(), name.to_owned());
        self
    }

    fn value(mut self, placeholder: &str, value: AttributeValue) -> Self {
        self.values.insert(placeholder.to_owned(), value);
        self
    }

    fn text(self, placeholder: &str, text: &str) -> Self {
        self.value(placeholder, AttributeValue::S(text.to_owned()))
    }

    fn number(self, placeholder: &str, number: u64) -> Self {
        self.value(placeholder, AttributeValue::N(number.to_string()))
    }
}

/// An empty map of placeholders is refused; none at all is not.
fn some<V>(placeholders: HashMap<String, V>) -> Option<HashMap<String, V>> {
    (!placeholders.is_empty()).then_some(placeholders)
}
