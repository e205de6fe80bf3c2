//! The store in one `DynamoDB` table.
//!
//! `pk` names a stream with its owner, or a user; `sk` is `head` or `chunk#<last seq>` of a stream, `usage` of a user.
//! `head` sorts after every chunk, so that one query reads what is new and how things stand.

mod api;
mod error;
mod items;
mod take;

use std::{borrow::Cow, time::Duration};

use aws_call::{Endpoint, Service};
use chat::Backoff;
use startup::{Aws, SettingsError};

use self::{
    api::{
        Api, AttributeValue, Found, GetItem, GotItem, Item, Names, PutItem, Query, ReturnValues, UpdateItem,
        UpdatedItem, body,
    },
    error::{ApiError, Kind},
};
use crate::store::{Chunk, Finish, Head, Key, Page, Settle, Store, StoreError, Take, Taken};

/// Chunks that are read at once; whoever wants more asks again.
const PAGE_ITEMS: u32 = 100;

/// All answers of one user begin and end on the same item, and `DynamoDB` refuses what meets there. That is not a
/// throttle (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>).
const ON_CONFLICT: Backoff =
    Backoff { attempts: 6, base: Duration::from_millis(10), cap: Duration::from_millis(100) };

/// A table of streams.
#[derive(Debug)]
pub struct DynamoDb {
    api: Api,
    table: String,
}

impl DynamoDb {
    /// `endpoint` is where `DynamoDB` is, if not at its usual address.
    pub fn new(aws: &Aws, endpoint: Option<Endpoint>, table: String) -> Result<Self, SettingsError> {
        let endpoint = endpoint.map_or_else(|| Endpoint::of_service("dynamodb", aws), Ok)?;
        Ok(Self { api: Api::new(&Service::new(aws, "dynamodb")?, &endpoint), table })
    }
}

impl Store for DynamoDb {
    async fn take(&self, key: &Key, take: &Take) -> Result<Taken, StoreError> {
        take::take(self, key, take).await
    }

    async fn look(&self, key: &Key) -> Result<Option<Head>, StoreError> {
        let request = GetItem { table_name: &self.table, key: &items::head_key(key), consistent_read: true };
        let got: GotItem = self
            .api
            .get_item
            .call(&request)
            .await
            .map_err(|error| StoreError::new("read a stream", error))?;
        got.item.map(|item| items::head(&item)).transpose()
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
        let item = items::of_chunk(key, chunk);
        let request = body(&PutItem { table_name: &self.table, item: &item, only_if: None });
        let put = self.api.put_item.post(request).await;
        put.map(drop).map_err(|error| StoreError::new("keep events", error))
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
        let request = Query {
            table_name: &self.table,
            key_condition_expression: "pk = :pk AND sk > :after",
            expression_attribute_values: [
                (Cow::Borrowed(":pk"), AttributeValue::S(items::stream_pk(key))),
                (Cow::Borrowed(":after"), AttributeValue::S(items::chunks_after(after))),
            ]
            .into(),
            consistent_read: true,
            limit: PAGE_ITEMS,
        };
        let found: Found =
            self.api.query.call(&request).await.map_err(|error| StoreError::new("read events", error))?;
        items::page(&found.items)
    }
}

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
        let request =
            body(&UpdateItem { return_values: Some(ReturnValues::AllNew), ..update.request(&self.table) });
        let mut tries = 0;
        loop {
            tries += 1;
            let refusal = match self.api.update_item.post(request.clone()).await {
                Ok(answer) => {
                    return match serde_json::from_slice(&answer) {
                        Ok(UpdatedItem { attributes }) => Ok(Updated::Now(attributes)),
                        Err(error) => Err(StoreError::new(did, ApiError::unreadable(&error))),
                    };
                }
                Err(ApiError::Refused(refusal)) => refusal,
                Err(error @ (ApiError::Call(_) | ApiError::Unreadable { .. })) => {
                    return Err(StoreError::new(did, error));
                }
            };
            match refusal.kind() {
                Kind::ConditionFailed => return Ok(Updated::NotNow(refusal.into_item())),
                Kind::Conflict => match ON_CONFLICT.pause_after(tries) {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return Err(StoreError::new(did, refusal)),
                },
                Kind::Cancelled | Kind::Passing | Kind::Other => return Err(StoreError::new(did, refusal)),
            }
        }
    }
}

/// A conditional update of one item.
#[derive(Clone)]
struct Update {
    key: Item,
    expression: Cow<'static, str>,
    condition: Cow<'static, str>,
    names: Names,
    values: Item,
}

impl Update {
    fn of(key: Item) -> Self {
        let (names, values) = (Names::new(), Item::new());
        Self { key, expression: "".into(), condition: "".into(), names, values }
    }

    fn request<'a>(&'a self, table_name: &'a str) -> UpdateItem<'a> {
        UpdateItem {
            table_name,
            key: &self.key,
            update_expression: &self.expression,
            condition_expression: &self.condition,
            expression_attribute_names: &self.names,
            expression_attribute_values: &self.values,
            return_values: None,
            return_values_on_condition_check_failure: ReturnValues::AllOld,
        }
    }

    fn set(mut self, expression: impl Into<Cow<'static, str>>) -> Self {
        self.expression = expression.into();
        self
    }

    fn only_if(mut self, condition: impl Into<Cow<'static, str>>) -> Self {
        self.condition = condition.into();
        self
    }

    fn name(mut self, placeholder: &'static str, name: &str) -> Self {
        self.names.insert(placeholder.into(), name.to_owned());
        self
    }

    fn value(mut self, placeholder: impl Into<Cow<'static, str>>, value: AttributeValue) -> Self {
        self.values.insert(placeholder.into(), value);
        self
    }

    fn text(self, placeholder: impl Into<Cow<'static, str>>, text: &str) -> Self {
        self.value(placeholder, AttributeValue::S(text.to_owned()))
    }

    fn number(self, placeholder: impl Into<Cow<'static, str>>, number: u64) -> Self {
        self.value(placeholder, AttributeValue::N(number.to_string()))
    }
}

#[cfg(test)]
mod tests;
