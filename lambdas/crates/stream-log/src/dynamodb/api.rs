//! What the log says to `DynamoDB`, in its own JSON
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB.html>).

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use aws_call::{Call, Endpoint, Retry, Service};
use bytes::Bytes;
use chat::Backoff;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::error::{ApiError, Refusal};

/// Of the types that `DynamoDB` has, those that are in the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum AttributeValue {
    S(String),
    /// In digits.
    N(String),
    #[serde(rename = "BOOL")]
    Bool(bool),
    M(Item),
}

pub(super) type Item = BTreeMap<Cow<'static, str>, AttributeValue>;
pub(super) type Names = BTreeMap<Cow<'static, str>, String>;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetItem<'a> {
    pub(super) table_name: &'a str,
    pub(super) key: &'a Item,
    pub(super) consistent_read: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GotItem {
    pub(super) item: Option<Item>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutItem<'a> {
    pub(super) table_name: &'a str,
    pub(super) item: &'a Item,
    #[serde(flatten)]
    pub(super) only_if: Option<OnlyIf<'a>>,
}

/// What an item has to be like that is replaced; if it is not, it comes back.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OnlyIf<'a> {
    pub(super) condition_expression: &'a str,
    /// None at all is taken, an empty map is not.
    #[serde(skip_serializing_if = "Item::is_empty")]
    pub(super) expression_attribute_values: Item,
    pub(super) return_values_on_condition_check_failure: ReturnValues,
}

/// As a call of its own, and as a part of a transaction.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdateItem<'a> {
    pub(super) table_name: &'a str,
    pub(super) key: &'a Item,
    pub(super) update_expression: &'a str,
    pub(super) condition_expression: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) expression_attribute_names: &'a Names,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) expression_attribute_values: &'a Item,
    /// A transaction returns nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) return_values: Option<ReturnValues>,
    pub(super) return_values_on_condition_check_failure: ReturnValues,
}

#[derive(Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum ReturnValues {
    AllNew,
    AllOld,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdatedItem {
    pub(super) attributes: Item,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Query<'a> {
    pub(super) table_name: &'a str,
    pub(super) key_condition_expression: &'a str,
    pub(super) expression_attribute_values: Item,
    pub(super) consistent_read: bool,
    pub(super) limit: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Found {
    pub(super) items: Vec<Item>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TransactWriteItems<'a> {
    pub(super) transact_items: [Write<'a>; 2],
    /// A try whose answer was lost is not done a second time.
    pub(super) client_request_token: String,
}

#[derive(Serialize)]
pub(super) enum Write<'a> {
    Update(UpdateItem<'a>),
    Put(PutItem<'a>),
}

/// What would rather fail than keep a stream waiting.
const RETRY: Retry = Retry {
    backoff: Backoff { attempts: 3, base: Duration::from_millis(50), cap: Duration::from_secs(1) },
    try_for: Duration::from_secs(1),
    in_all: Duration::from_secs(3),
};

#[derive(Debug)]
pub(super) struct Api {
    pub(super) get_item: Operation,
    pub(super) put_item: Operation,
    pub(super) update_item: Operation,
    pub(super) query: Operation,
    pub(super) transact_write_items: Operation,
}

#[derive(Debug)]
pub(super) struct Operation(pub(super) Call);

impl Api {
    pub(super) fn new(service: &Service, endpoint: &Endpoint) -> Self {
        let operation = |target| Operation(service.json_call(endpoint, target));
        Self {
            get_item: operation("DynamoDB_20120810.GetItem"),
            put_item: operation("DynamoDB_20120810.PutItem"),
            update_item: operation("DynamoDB_20120810.UpdateItem"),
            query: operation("DynamoDB_20120810.Query"),
            transact_write_items: operation("DynamoDB_20120810.TransactWriteItems"),
        }
    }
}

impl Operation {
    /// The answer of a call that was done, perhaps more than once.
    pub(super) async fn call<A: DeserializeOwned>(
        &self,
        request: &(impl Serialize + Sync),
    ) -> Result<A, ApiError> {
        let answer = self.post(body(request)).await?;
        serde_json::from_slice(&answer).map_err(|error| ApiError::unreadable(&error))
    }

    /// The same, where nothing of interest is answered.
    pub(super) async fn post(&self, body: Bytes) -> Result<Bytes, ApiError> {
        RETRY.run(|limit| self.once(body.clone(), limit), ApiError::may_pass).await
    }

    async fn once(&self, body: Bytes, limit: Duration) -> Result<Bytes, ApiError> {
        let (status, answer) = self.0.post(body, limit).await?;
        if status.is_success() {
            Ok(answer)
        } else {
            Err(Box::new(Refusal::parse(status.as_u16(), &answer)).into())
        }
    }
}

pub(super) fn body(request: &impl Serialize) -> Bytes {
    serde_json::to_vec(request).expect("strings, numbers and maps of them always serialize").into()
}
