//! The claim: one call in the usual case, whatever it has to check.

use uuid::Uuid;

use super::{
    DynamoDb, Item, ON_CONFLICT, PutItem, ReturnValues, Update, Updated,
    api::{OnlyIf, TransactWriteItems, Write, body},
    error::{ApiError, Kind},
    items,
};
use crate::{
    store::{Head, Key, Phase, Rights, StoreError, Take, Taken},
    usage::{Reservation, Usage, day_of},
};

const DID: &str = "claim a stream";

const SET: &str = "SET owner_sub = :owner, stream_id = :stream_id, phase = :phase, attempt = :attempt, \
                   lease_until = :lease_until, expires_at = :expires_at";

pub(super) async fn take(db: &DynamoDb, key: &Key, take: &Take) -> Result<Taken, StoreError> {
    let update = match &take.rights {
        Rights::New(Some(reservation)) => return reserve(db, key, take, reservation).await,
        Rights::New(None) => new(key, take, 0),
        Rights::Dequeued => dequeued(key, take),
    };
    match db.update(update, DID).await? {
        Updated::Now(item) => items::head(&item).map(Taken::Mine),
        Updated::NotNow(Some(item)) => items::head(&item).map(|head| found(take, head)),
        Updated::NotNow(None) => Err(StoreError::new(DID, "the condition failed on nothing")),
    }
}

/// A stream that nobody has had, or whose attempt was refused; nothing of that one stays.
fn new(key: &Key, take: &Take, reserved: u64) -> Update {
    common(key, take)
        .set(format!(
            "{SET}, request_hash = :hash, created_at = :now, reserved = :reserved, usage_day = :day \
             REMOVE cancel_requested, watched_until, code"
        ))
        .only_if("attribute_not_exists(pk) OR phase = :refused")
        .number(":reserved", reserved)
        .text(":refused", Phase::Refused.as_str())
}

/// What is known of a stream from when it was queued stays, above all whether it was cancelled since.
fn dequeued(key: &Key, take: &Take) -> Update {
    common(key, take)
        .set(format!(
            "{SET}, request_hash = if_not_exists(request_hash, :hash), created_at = if_not_exists(created_at, :now), \
             reserved = if_not_exists(reserved, :zero), usage_day = if_not_exists(usage_day, :day)"
        ))
        .only_if("attribute_not_exists(pk) OR phase = :queued")
        .number(":zero", 0)
        .text(":queued", Phase::Queued.as_str())
}

fn common(key: &Key, take: &Take) -> Update {
    Update::of(items::head_key(key))
        .text(":owner", &key.owner)
        .text(":stream_id", key.stream_id.as_str())
        .text(":phase", take.phase.as_str())
        .text(":attempt", &take.attempt)
        .text(":hash", &take.request_hash)
        .number(":lease_until", take.lease_until)
        .number(":expires_at", take.expires_at)
        .number(":now", take.created_at)
        .number(":day", day_of(take.created_at))
}

/// Both or neither: the stream, and its place in the user's account.
async fn reserve(db: &DynamoDb, key: &Key, take: &Take, wish: &Reservation) -> Result<Taken, StoreError> {
    // What would be too much for an account with nothing in it needs no look at the account.
    if let Err(over) = Usage::default().reserve(&key.canonical_id(), wish) {
        return Ok(Taken::Over(over));
    }
    let claim = new(key, take, wish.tokens);
    let mut account = account_unseen(key, wish);
    let mut tries = 0;
    loop {
        tries += 1;
        let refusal = match transact(db, &claim, &account).await {
            Ok(()) => return Ok(Taken::Mine(head(take, wish))),
            Err(ApiError::Refused(refusal)) if refusal.kind() == Kind::Cancelled => refusal,
            Err(error) => return Err(StoreError::new(DID, error)),
        };
        let [of_head, of_account] = refusal.reasons() else {
            return Err(StoreError::new(DID, refusal));
        };
        if of_head.condition_failed() {
            let item =
                of_head.item().ok_or_else(|| StoreError::new(DID, "the condition failed on nothing"))?;
            return items::head(item).map(|head| found(take, head));
        }
        let account_changed = of_account.condition_failed();
        if account_changed {
            let seen = of_account.item().map(items::usage).transpose()?;
            match seen.clone().unwrap_or_default().reserve(&key.canonical_id(), wish) {
                Ok(usage) => account = account_seen(key, seen.as_ref(), &usage),
                Err(over) => return Ok(Taken::Over(over)),
            }
        }
        // Somebody else was at one of the items at the same moment, or has changed the account since.
        let Some(pause) = ON_CONFLICT.pause_after(tries) else { return Err(StoreError::new(DID, refusal)) };
        if !account_changed {
            tokio::time::sleep(pause).await;
        }
    }
}

/// How the user's account is written.
enum Account {
    Update(Update),
    Put { item: Item, seen: Option<u64> },
}

/// Without having read it. Fails where a cap would be passed, and also where there is no account yet, its day is over, or
/// answers in it have ended without being settled.
fn account_unseen(key: &Key, wish: &Reservation) -> Account {
    let mut condition = "usage_day = :day".to_owned();
    let mut update = Update::of(items::usage_key(key))
        .set("SET running.#id = :until, tokens = tokens + :reserved, rev = rev + :one")
        .name("#id", &key.canonical_id())
        .number(":until", wish.until)
        .number(":reserved", wish.tokens)
        .number(":one", 1)
        .number(":day", day_of(wish.now));
    if let Some(cap) = wish.caps.streams {
        condition += " AND size(running) < :streams";
        update = update.number(":streams", cap);
    }
    if let Some(cap) = wish.caps.tokens_per_day {
        condition += " AND tokens <= :room";
        update = update.number(":room", cap.saturating_sub(wish.tokens));
    }
    Account::Update(update.only_if(condition))
}

/// As it was calculated from what was seen, if that is still so.
fn account_seen(key: &Key, seen: Option<&Usage>, usage: &Usage) -> Account {
    Account::Put { item: items::of_usage(key, usage), seen: seen.map(|usage| usage.rev) }
}

async fn transact(db: &DynamoDb, claim: &Update, account: &Account) -> Result<(), ApiError> {
    let table = db.table.as_str();
    let account = match account {
        Account::Update(update) => Write::Update(update.request(table)),
        Account::Put { item, seen } => Write::Put(put(table, item, *seen)),
    };
    let request = body(&TransactWriteItems {
        transact_items: [Write::Update(claim.request(table)), account],
        client_request_token: Uuid::new_v4().to_string(),
    });
    db.api.transact_write_items.post(request).await.map(drop)
}

fn put<'a>(table_name: &'a str, item: &'a Item, seen: Option<u64>) -> PutItem<'a> {
    let (condition_expression, expression_attribute_values) = match seen {
        Some(rev) => ("rev = :rev", [(":rev".into(), items::number(rev))].into()),
        None => ("attribute_not_exists(pk)", Item::new()),
    };
    let return_values_on_condition_check_failure = ReturnValues::AllOld;
    let only_if = OnlyIf {
        condition_expression,
        expression_attribute_values,
        return_values_on_condition_check_failure,
    };
    PutItem { table_name, item, only_if: Some(only_if) }
}

/// A stream that somebody has: this attempt, where the answer to its claim was lost and which was claimed again.
fn found(take: &Take, head: Head) -> Taken {
    if head.attempt == take.attempt { Taken::Mine(head) } else { Taken::Exists(head) }
}

/// What was written: a transaction does not say.
fn head(take: &Take, wish: &Reservation) -> Head {
    Head {
        phase: take.phase,
        attempt: take.attempt.clone(),
        lease_until: take.lease_until,
        request_hash: take.request_hash.clone(),
        cancel_requested: false,
        watched_until: 0,
        reserved: wish.tokens,
        day: day_of(take.created_at),
        code: None,
    }
}
