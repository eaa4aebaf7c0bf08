//! Counts the words of a text.
use lambda_runtime::{run, service_fn, Error, LambdaEvent};
use serde_json::{json, Map, Value};
use std::collections::BTreeMap;

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let text = event.payload["text"].as_str().ok_or("there is no text")?.to_lowercase();
    let mut counts = BTreeMap::new();
    for word in text.split(|letter: char| !letter.is_alphabetic()).filter(|word| !word.is_empty()) {
        *counts.entry(word).or_insert(0) += 1;
    }
    let mut sorted: Vec<_> = counts.into_iter().collect();
    sorted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let words: Map<String, Value> = sorted.into_iter().map(|(word, count)| (word.to_owned(), json!(count))).collect();
    Ok(json!({ "language": concat!("Rust ", env!("CARGO_PKG_RUST_VERSION")), "words": words }))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(handle)).await
}
