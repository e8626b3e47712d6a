//! The same stream whole and cut: the same events, plaintext, error and output.

use std::sync::Arc;

use waxwing_core::{Buffer, Connection};

use super::driven::Driven;
use super::puppet::Secrets;
use super::script::Script;
use super::session::{Session, answers, client_config, server_config};
use super::wire::ALERT;
use crate::fake;

/// Makes a stream by a script as in `client` and `server`, then feeds it to fresh engines; a
/// server's also to one that starts as an [`Acceptor`](waxwing_core::Acceptor).
pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let choice = script.byte();
    let cut = usize::from(script.byte());
    let cut = if choice & 2 == 0 {
        cut.max(1)
    } else {
        64 * cut + 1
    };
    // The two bytes of configuration and answers that a session reads first.
    let (config, how) = match data {
        [_, _, config, how, ..] => (*config, *how),
        _ => return,
    };
    let is_client = choice & 1 == 0;
    let recorded = if is_client {
        Session::client(&mut script, false).driven
    } else {
        Session::server(&mut script, false).driven
    };
    let replay = |cut: usize| {
        let mut driven = fresh(is_client, config, how);
        driven.feed(&recorded.fed, cut);
        driven
    };
    let whole = replay(0);
    same(&recorded, &whole);
    same(&whole, &replay(cut));
    // An acceptor is stricter only before the ClientHello, where it allows no alert at all.
    if !is_client && whole.error.is_none() && recorded.fed.first() != Some(&ALERT) {
        fake::seed_random(0);
        let config = server_config(config, how, Arc::new(Secrets::default()));
        let mut accepted = Driven::acceptor(config, answers(how, false));
        accepted.feed(&recorded.fed, cut);
        same(&whole, &accepted);
    }
}

/// An engine as a session starts it.
fn fresh(is_client: bool, config: u8, how: u8) -> Driven {
    fake::seed_random(0);
    let answers = answers(how, false);
    let secrets = Arc::new(Secrets::default());
    let mut out = Buffer::new();
    let connection = if is_client {
        let name = "server.example".parse().expect("a name");
        let config = client_config(config, how, secrets);
        Connection::client(config, name, &mut out).expect("a client")
    } else {
        Connection::server(server_config(config, how, secrets))
    };
    Driven::new(connection, out, answers)
}

fn same(one: &Driven, other: &Driven) {
    assert_eq!(one.error, other.error);
    assert_eq!(one.events, other.events);
    assert_eq!(one.received, other.received);
    assert_eq!(one.early, other.early);
    assert_eq!(one.sent, other.sent);
}
