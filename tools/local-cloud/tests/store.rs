//! The stream log's store over the protocol of DynamoDB: what its conditions let pass, also at one moment.

use std::sync::atomic::{AtomicU64, Ordering};

use auth::Caller;
use aws_credential_types::Credentials;
use chat::{ErrorCode, StreamId};
use futures_util::future::join_all;
use local_cloud::{
    dynamodb::{self, TableConfig},
    faults::Faults,
    sigv4::{Identities, REGION},
};
use startup::{Aws, HttpClient};
use stream_log::{
    Caps, Chunk, DynamoDb, Finish, Key, Notes, Over, Phase, Reservation, Rights, Settle, Store, Take, Taken,
};

const TABLE: &str = "streams";
const DAY: u64 = 24 * 60 * 60 * 1000;
/// Some day in 2026, 10:00.
const NOW: u64 = 20_600 * DAY + 10 * 60 * 60 * 1000;

struct Bench {
    service: dynamodb::DynamoDb,
    store: DynamoDb,
}

async fn bench() -> Bench {
    let identities = Identities::default();
    let actions = ["GetItem", "PutItem", "UpdateItem", "Query"].map(|action| format!("dynamodb:{action}"));
    let credentials = identities.issue("test", &actions.each_ref().map(String::as_str));
    let table = TableConfig {
        name: TABLE.to_owned(),
        hash_key: "pk".to_owned(),
        range_key: "sk".to_owned(),
        ttl: "expires_at".to_owned(),
    };
    let service = dynamodb::DynamoDb::new(vec![table], identities, Faults::default());
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let router = service.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let credentials = Credentials::new(
        credentials.access_key_id,
        credentials.secret_access_key,
        Some(credentials.session_token),
        None,
        "test",
    );
    let aws = Aws::new(HttpClient::new(), REGION.to_owned(), credentials);
    let endpoint = Some(endpoint.parse().unwrap());
    Bench { service, store: DynamoDb::new(&aws, endpoint, TABLE.to_owned()).unwrap() }
}

fn key(owner: &str) -> Key {
    Key::new(&Caller::from_queued_owner(owner.to_owned()).unwrap(), &StreamId::random())
}

fn attempt() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("attempt-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

fn take(phase: Phase, rights: Rights) -> Take {
    Take {
        phase,
        attempt: attempt(),
        lease_until: NOW + 15_000,
        request_hash: "hash".to_owned(),
        created_at: NOW,
        expires_at: NOW / 1000 + 3600,
        rights,
    }
}

fn new() -> Take {
    take(Phase::Running, Rights::New(None))
}

const CAPS: Caps = Caps { streams: Some(3), tokens_per_day: Some(1_000) };

fn reserving(now: u64, tokens: u64) -> Take {
    reserving_within(CAPS, now, tokens)
}

fn reserving_within(caps: Caps, now: u64, tokens: u64) -> Take {
    let reservation = Reservation { caps, now, until: now + 60_000, tokens };
    Take { created_at: now, ..take(Phase::Running, Rights::New(Some(reservation))) }
}

fn finish(attempt: &str, phase: Phase) -> Finish {
    Finish {
        attempt: attempt.to_owned(),
        phase,
        if_lease_ended_before: None,
        code: None,
        notes: Notes::default(),
    }
}

async fn is_taken(store: &DynamoDb, key: &Key, take: &Take) -> bool {
    matches!(store.take(key, take).await.unwrap(), Taken::Mine(_))
}

#[tokio::test]
async fn of_many_who_take_one_stream_at_once_one_gets_it() {
    let Bench { store, .. } = bench().await;
    for caps in [Caps::default(), CAPS, Caps { tokens_per_day: None, ..CAPS }, Caps { streams: None, ..CAPS }]
    {
        let key = key(&format!("{caps:?}"));
        let wishes: Vec<_> = (0..30).map(|_| reserving_within(caps, NOW, 10)).collect();
        let taken = join_all(wishes.iter().map(|wish| is_taken(&store, &key, wish))).await;
        assert_eq!(taken.iter().filter(|taken| **taken).count(), 1, "{caps:?}");
    }
}

#[tokio::test]
async fn of_many_streams_at_once_one_user_gets_as_many_as_allowed() {
    let Bench { store, .. } = bench().await;
    let keys: Vec<_> = (0..20).map(|_| key("ann")).collect();
    let taken = join_all(keys.iter().map(async |key| is_taken(&store, key, &reserving(NOW, 10)).await)).await;
    assert_eq!(taken.iter().filter(|taken| **taken).count(), 3);
    assert!(is_taken(&store, &key("bob"), &reserving(NOW, 10)).await);
    let settle = Settle { day: NOW / DAY, unused: 10 };
    let won = keys.iter().zip(&taken).find(|(_, taken)| **taken).expect("a stream").0;
    store.settle(won, &settle).await.unwrap();
    store.settle(won, &settle).await.unwrap();
    let again: Vec<_> = (0..5).map(|_| key("ann")).collect();
    let again =
        join_all(again.iter().map(async |key| is_taken(&store, key, &reserving(NOW, 10)).await)).await;
    assert_eq!(again.iter().filter(|taken| **taken).count(), 1, "settled twice, and free once");
}

#[tokio::test]
async fn tokens_are_counted_by_the_day() {
    let Bench { store, .. } = bench().await;
    let caps = Caps { streams: None, ..CAPS };
    let over = async |now, tokens| match store
        .take(&key("ann"), &reserving_within(caps, now, tokens))
        .await
        .unwrap()
    {
        Taken::Over(Over::Tokens { left, retry_after, .. }) => Some((left, retry_after)),
        Taken::Over(Over::Streams { .. }) => panic!("streams are not counted"),
        Taken::Mine(_) | Taken::Exists(_) => None,
    };
    let until_midnight = 14 * 60 * 60;
    assert_eq!(over(NOW, 1_001).await, Some((1_000, until_midnight)), "before there is an account");
    assert_eq!(over(NOW, 600).await, None);
    assert_eq!(over(NOW, 401).await, Some((400, until_midnight)));
    assert_eq!(over(NOW, 400).await, None);
    assert_eq!(over(NOW, 1).await, Some((0, until_midnight)));
    assert_eq!(over(NOW + DAY, 1_000).await, None, "the next day");
    let key = key("ann");
    let taken = store.take(&key, &reserving_within(caps, NOW + 2 * DAY, 700)).await.unwrap();
    assert!(matches!(taken, Taken::Mine(head) if head.reserved == 700 && head.day == 20_602));
    store.settle(&key, &Settle { day: 20_602, unused: 650 }).await.unwrap();
    assert_eq!(over(NOW + 2 * DAY, 950).await, None);
    assert_eq!(over(NOW + 2 * DAY, 1).await, Some((0, until_midnight)));
}

#[tokio::test]
async fn what_was_reserved_yesterday_is_not_given_back_today() {
    let Bench { store, .. } = bench().await;
    let late = key("ann");
    assert!(is_taken(&store, &late, &reserving(NOW, 800)).await);
    assert!(is_taken(&store, &key("ann"), &reserving(NOW + DAY, 500)).await);
    store.settle(&late, &Settle { day: NOW / DAY, unused: 800 }).await.unwrap();
    let taken = store.take(&key("ann"), &reserving(NOW + DAY, 501)).await.unwrap();
    assert!(matches!(taken, Taken::Over(Over::Tokens { left: 500, .. })), "{taken:?}");
}

#[tokio::test]
async fn answers_that_were_never_settled_lose_their_places() {
    let Bench { store, .. } = bench().await;
    for _ in 0..3 {
        assert!(is_taken(&store, &key("ann"), &reserving(NOW, 10)).await);
    }
    let taken = store.take(&key("ann"), &reserving(NOW + 59_000, 10)).await.unwrap();
    assert!(matches!(taken, Taken::Over(Over::Streams { cap: 3 })));
    assert!(is_taken(&store, &key("ann"), &reserving(NOW + 60_000, 10)).await);
}

#[tokio::test]
async fn who_may_take_depends_on_how_far_the_stream_has_come() {
    let Bench { store, .. } = bench().await;
    let dequeued = || take(Phase::Running, Rights::Dequeued);
    let key = key("ann");
    let queued = take(Phase::Queued, Rights::New(None));
    assert!(is_taken(&store, &key, &queued).await);
    assert!(!is_taken(&store, &key, &new()).await, "it waits in a queue");
    assert!(store.cancel(&key).await.unwrap());
    let Taken::Mine(head) = store.take(&key, &dequeued()).await.unwrap() else { panic!("not taken") };
    assert!(head.cancel_requested, "what happened while it waited is not forgotten");
    let Taken::Exists(seen) = store.take(&key, &dequeued()).await.unwrap() else { panic!("taken twice") };
    assert_eq!(seen, head);
    assert!(store.finish(&key, &finish(&head.attempt, Phase::Refused)).await.unwrap());
    assert!(!is_taken(&store, &key, &dequeued()).await, "its refusal was told");
    let Taken::Mine(head) = store.take(&key, &new()).await.unwrap() else { panic!("not taken") };
    assert!(!head.cancel_requested && head.code.is_none(), "nothing of the refused attempt stays");
    assert!(store.finish(&key, &finish(&head.attempt, Phase::Finished)).await.unwrap());
    assert!(!is_taken(&store, &key, &new()).await && !is_taken(&store, &key, &dequeued()).await);
}

#[tokio::test]
async fn only_the_attempt_that_has_it_renews_and_ends_a_stream() {
    let Bench { store, .. } = bench().await;
    let (key, mine) = (key("ann"), new());
    assert!(is_taken(&store, &key, &mine).await);
    assert_eq!(store.renew(&key, "another", NOW).await.unwrap(), None);
    assert!(!store.finish(&key, &finish("another", Phase::Finished)).await.unwrap());
    let renewed = store.renew(&key, &mine.attempt, NOW + 99).await.unwrap().expect("mine");
    assert_eq!((renewed.lease_until, renewed.phase), (NOW + 99, Phase::Running));
    let found_dead = |now| Finish {
        if_lease_ended_before: Some(now),
        code: Some(ErrorCode::Interrupted),
        ..finish(&mine.attempt, Phase::Finished)
    };
    assert!(!store.finish(&key, &found_dead(NOW + 99)).await.unwrap());
    assert!(store.finish(&key, &found_dead(NOW + 100)).await.unwrap());
    assert!(!store.finish(&key, &found_dead(NOW + 100)).await.unwrap(), "told once");
    assert_eq!(store.renew(&key, &mine.attempt, NOW).await.unwrap(), None);
    let head = store.look(&key).await.unwrap().expect("a head");
    assert_eq!((head.phase, head.code), (Phase::Finished, Some(ErrorCode::Interrupted)));
}

#[tokio::test]
async fn events_are_read_in_order_page_by_page_and_the_head_last() {
    let Bench { store, service } = bench().await;
    let (key, mine) = (key("ann"), new());
    assert!(is_taken(&store, &key, &mine).await);
    let chunk =
        |n: u64| Chunk { first: n * 7, last: n * 7 + 6, events: format!("events {n}"), expires_at: 5 };
    for n in [0, 2, 1].into_iter().chain(3..150) {
        store.append(&key, &chunk(n)).await.unwrap();
    }
    store.append(&key, &chunk(2)).await.unwrap();
    let (mut after, mut read) = (None, Vec::new());
    let head = loop {
        let page = store.read(&key, after).await.unwrap();
        after = page.chunks.last().map(|chunk| chunk.last).or(after);
        read.extend(page.chunks);
        if let Some(head) = page.head {
            break head;
        }
    };
    assert_eq!(read, (0..150).map(chunk).collect::<Vec<_>>());
    assert_eq!(head.phase, Phase::Running);
    let first_of = async |after| store.read(&key, Some(after)).await.unwrap().chunks[0].first;
    assert_eq!((first_of(5).await, first_of(6).await, first_of(9).await), (0, 7, 7));
    let read_before = service.metered().half_reads;
    assert_eq!(store.read(&key, Some(149 * 7 + 6)).await.unwrap().chunks, []);
    assert_eq!(service.metered().half_reads - read_before, 2, "a look for news is one small read");
}

#[tokio::test]
async fn a_stream_that_is_not_there_is_nothing_and_is_not_made() {
    let Bench { store, .. } = bench().await;
    let key = key("ann");
    assert!(!store.cancel(&key).await.unwrap());
    store.watch(&key, NOW).await.unwrap();
    store.settle(&key, &Settle { day: 1, unused: 1 }).await.unwrap();
    assert_eq!(store.renew(&key, "any", NOW).await.unwrap(), None);
    assert!(!store.finish(&key, &finish("any", Phase::Finished)).await.unwrap());
    assert_eq!(store.look(&key).await.unwrap(), None);
    let page = store.read(&key, None).await.unwrap();
    assert!(page.chunks.is_empty() && page.head.is_none());
}
