//! Every target with its seeds, then with thousands of changes of them: the same ones in each run, in a second or so.

mod mutation;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use fastrand::Rng;
use fuzz::Target;

use crate::mutation::mutated;

/// Runs the seeds, and so many inputs made of them. An input that breaks a property is printed.
fn drive(target: &Target, rounds: u64) {
    let seeds = (target.seeds)();
    for seed in &seeds {
        feed(target, seed);
    }
    for round in 0..rounds {
        feed(target, &mutated(&seeds, &mut Rng::with_seed(round)));
    }
}

fn feed(target: &Target, input: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (target.run)(input))) {
        eprintln!("{} breaks on these {} bytes: {}", target.name, input.len(), hex(input));
        resume_unwind(panic);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

#[test]
fn a_request_is_accepted_by_the_rules_or_refused_with_a_fields_name() {
    drive(&fuzz::REQUEST, 10_000);
}

#[test]
fn a_request_to_resume_means_the_same_in_json_and_in_a_url() {
    drive(&fuzz::RECALL, 10_000);
}

#[test]
fn an_answer_is_read_as_it_was_written_whatever_the_model_says() {
    drive(&fuzz::ANSWER, 1_500);
}

#[test]
fn server_sent_events_are_the_same_wherever_they_are_cut() {
    drive(&fuzz::EVENT_STREAM, 10_000);
}

#[test]
fn a_websocket_message_gets_a_pong_or_a_refusal() {
    drive(&fuzz::WEBSOCKET_MESSAGE, 10_000);
}

#[test]
fn a_queue_message_is_a_job_or_is_not_quoted() {
    drive(&fuzz::QUEUE_MESSAGE, 6_000);
}

#[test]
fn a_published_event_arrives_as_it_was_and_for_its_owner() {
    drive(&fuzz::GRAPHQL_EVENT, 500);
}

#[test]
fn no_token_is_accepted_but_the_good_one() {
    drive(&fuzz::TOKEN, 15_000);
}

#[test]
fn every_target_is_there_for_libfuzzer_under_its_name() {
    let bins = include_str!("../../libfuzzer/Cargo.toml");
    for target in fuzz::TARGETS {
        let path = format!("targets/{}.rs", target.name);
        assert!(bins.contains(&format!("name = \"{}\"\npath = \"{path}\"\n", target.name)), "{path}");
        let file = std::fs::read_to_string(format!("{}/libfuzzer/{path}", env!("CARGO_MANIFEST_DIR")));
        let call = format!("fuzz::{}.run", target.name.to_ascii_uppercase());
        assert!(file.expect(&path).contains(&call), "{path} does not call {call}");
    }
}
