//! `cert show`: what certificates, requests and keys say.

use serde::Serialize;
use waxwing::pki::{Identity, to_pem};

use super::args::ShowArgs;
use super::files::passphrase;
use super::item::{self, Item, ItemFacts};
use super::source::{self, Content, Source};
use crate::exit::{Code, Failure};
use crate::output::{self, Card, Talk};

#[derive(Debug, Serialize)]
struct Document {
    schema: &'static str,
    sources: Vec<SourceFacts>,
}

#[derive(Debug, Serialize)]
struct SourceFacts {
    source: String,
    items: Vec<ItemFacts>,
    error: Option<ErrorFacts>,
}

#[derive(Debug, Serialize)]
pub(super) struct ErrorFacts {
    exit_code: u8,
    kind: &'static str,
    message: String,
}

impl ErrorFacts {
    pub(super) fn of(failure: &Failure) -> Self {
        Self {
            exit_code: failure.code.number(),
            kind: failure.code.word(),
            message: failure.message.clone(),
        }
    }
}

pub(super) async fn run(args: &ShowArgs, talk: Talk) -> Result<(), Failure> {
    let passphrase = passphrase(args.passphrase_file.as_deref())?;
    let sources: Vec<_> = args.sources.iter().map(|text| Source::new(text)).collect();
    let contents = source::load(&sources, &args.peer, &args.network, talk).await;
    let results: Vec<_> = sources
        .iter()
        .zip(contents)
        .map(|(source, content)| {
            let items = content.and_then(|content| match content {
                Content::Bytes(bytes) => item::items(&bytes, passphrase.as_ref()),
                Content::Server(fetched) => of_chain(&fetched.chain),
            });
            (
                source,
                items.map_err(|failure| source::named(source, failure)),
            )
        })
        .collect();
    let printed = if talk.json() {
        output::json(&document(&results))
    } else if args.pem {
        output::print(pem(&results).trim_end())
    } else {
        cards(&results).print()
    };
    printed.map_err(|error| Failure::stdout(&error))?;
    source::worst(results.into_iter().filter_map(|(_, items)| items.err()))
}

fn of_chain(chain: &[Vec<u8>]) -> Result<Vec<Item>, Failure> {
    let identities = Identity::of_chain(chain);
    let identities = identities.map_err(|error| Failure::new(Code::Tls, error.to_string()))?;
    let boxed = identities.into_iter().map(Box::new);
    Ok(boxed.map(Item::Certificate).collect())
}

type Shown<'a> = (&'a Source, Result<Vec<Item>, Failure>);

fn document(results: &[Shown<'_>]) -> Document {
    let sources = results.iter().map(|(source, items)| SourceFacts {
        source: source.to_string(),
        items: items.iter().flatten().map(Item::facts).collect(),
        error: items.as_ref().err().map(ErrorFacts::of),
    });
    Document {
        schema: "waxwing.cert.show/1",
        sources: sources.collect(),
    }
}

fn pem(results: &[Shown<'_>]) -> String {
    let items = results.iter().flat_map(|(_, items)| items.iter().flatten());
    items
        .filter_map(|item| match item {
            Item::Certificate(identity) => Some(to_pem("CERTIFICATE", &identity.der).to_string()),
            Item::Request(request) => Some(request.pem()),
            Item::Key(_) => None,
        })
        .collect()
}

fn cards(results: &[Shown<'_>]) -> Card {
    let mut card = Card::default();
    for (source, items) in results {
        let Ok(items) = items else {
            continue;
        };
        for (index, item) in items.iter().enumerate() {
            if items.len() > 1 {
                card.title(format_args!("{source}, {} of {}", index + 1, items.len()));
            } else {
                card.title(source);
            }
            item.show(&mut card);
        }
    }
    card
}
