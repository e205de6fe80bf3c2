//! What only a plan can do, and that it is for its own stream.

use bytes::Bytes;

use super::*;
use crate::faults::Plan;

/// The chunks of an answer, up to its end or its break.
async fn chunks(client: &Client, prompt: &str) -> (Vec<Bytes>, bool) {
    let mut response = client.send(&ask(prompt)).await;
    let mut all = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => all.push(chunk),
            Ok(None) => return (all, true),
            Err(_) => return (all, false),
        }
    }
}

/// Everything that decodes, and whether the checksums held.
fn decode(bytes: &[u8]) -> (Vec<String>, bool) {
    let (mut buffer, mut decoder, mut payloads) = (BytesMut::from(bytes), MessageFrameDecoder::new(), vec![]);
    loop {
        match decoder.decode_frame(&mut buffer) {
            Ok(DecodedFrame::Complete(message)) => {
                payloads.push(String::from_utf8(message.payload().to_vec()).unwrap());
            }
            Ok(DecodedFrame::Incomplete) => return (payloads, true),
            Err(_) => return (payloads, false),
        }
    }
}

fn plan(client: &Client, marker: &str, model: Script) {
    client.faults.plan(marker, Plan { model: Some(model), ..Plan::default() });
}

#[tokio::test]
async fn a_plan_is_for_its_own_stream_and_before_the_script_of_all() {
    let client = Client::scripted(&["for all"], stop()).await;
    let kind = "ThrottlingException".to_owned();
    plan(&client, "s-1", at_once(&["for one"], Ending::Refused { status: 429, kind, times: 1 }));
    assert_eq!(text(&client.frames(&ask("s-2")).await), "for all");
    assert_eq!(client.send(&ask("s-1")).await.status(), 429);
    assert_eq!(text(&client.frames(&ask("s-1")).await), "for one");
    let known = client.faults.planned("s-1").expect("a plan").model_calls();
    assert_eq!(known.iter().map(|call| call.tokens.len()).collect::<Vec<_>>(), [0, 1]);
    assert!(client.faults.planned("s-2").is_none());
    client.faults.plan("s-1", Plan::default());
    assert_eq!(text(&client.frames(&ask("s-1")).await), "for all", "a plan without a model changes nothing");
    let tokens =
        |marker| client.bedrock.calls_of(marker).iter().map(|call| call.tokens.len()).collect::<Vec<_>>();
    assert_eq!((tokens("s-1"), tokens("s-2"), tokens("s-3")), (vec![0, 1, 1], vec![1], vec![]));
}

#[tokio::test]
async fn a_bad_checksum_is_really_bad_and_only_that() {
    let client = Client::new(Source::BuiltIn).await;
    plan(&client, "", at_once(&["a", "b", "c"], Ending::BadChecksum { after: 1 }));
    let (bad, whole) = chunks(&client, "x").await;
    let (payloads, good) = decode(&bad.concat());
    assert!(whole && !good);
    assert_eq!(payloads.len(), 2, "messageStart and one token");
    assert!(payloads[1].contains("\"a\""), "{payloads:?}");
    plan(&client, "", at_once(&["a", "b", "c"], stop()));
    let (good, _) = chunks(&client, "x").await;
    let differing = |(a, b): &(&Bytes, &Bytes)| a != b;
    // The latency differs too, in the last frame.
    let frames = bad.iter().zip(&good).take(6).filter(differing).collect::<Vec<_>>();
    let [(bad, good)] = frames[..] else { panic!("{} frames differ", frames.len()) };
    assert_eq!(bad[..bad.len() - 4], good[..good.len() - 4], "all but the checksum");
    let tokens: Vec<usize> = client.bedrock.calls().iter().map(|call| call.tokens.len()).collect();
    assert_eq!(tokens, [2, 3], "nobody can have read the bad one");
}

#[tokio::test]
async fn a_reset_is_no_clean_end_and_what_was_sent_arrives() {
    let client = Client::new(Source::BuiltIn).await;
    plan(&client, "", at_once(&["a", "b", "c"], Ending::Reset { after: 2 }));
    let (read, whole) = chunks(&client, "x").await;
    let (payloads, good) = decode(&read.concat());
    assert_eq!((payloads.len(), good, whole), (3, true, false));
    let call = client.closed_call().await;
    assert_eq!((call.tokens.len(), call.completed), (2, false));
}

#[tokio::test]
async fn frames_in_pieces_are_the_same_bytes() {
    let client = Client::new(Source::BuiltIn).await;
    let ending = || Ending::Truncated { after: 3 };
    plan(&client, "", at_once(&["Grü", "ße", "🦀"], ending()));
    let (frames, _) = chunks(&client, "x").await;
    assert_eq!(frames.len(), 4);
    for (framing, largest) in
        [(Framing::Bytes, 1), (Framing::Pieces { seed: 1 }, 16), (Framing::Pieces { seed: 2 }, 16)]
    {
        plan(&client, "", Script { framing, ..at_once(&["Grü", "ße", "🦀"], ending()) });
        let (pieces, whole) = chunks(&client, "x").await;
        assert!(whole && pieces.concat() == frames.concat(), "{framing:?}");
        assert!(pieces.iter().all(|piece| piece.len() <= largest), "{framing:?}");
        let (again, _) = chunks(&client, "x").await;
        assert_eq!(pieces, again, "{framing:?}: the same for the same seed");
    }
}
