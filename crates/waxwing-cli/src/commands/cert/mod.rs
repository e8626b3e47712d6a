//! `waxwing cert`: certificates, keys and signing requests.

use crate::exit::Failure;
use crate::output::Talk;

pub(crate) mod args;
mod fetch;
pub(crate) mod files;
mod help;
mod item;
mod make;
mod pair;
mod revocation;
mod show;
mod source;
mod verify;

use args::{CertArgs, CertCommand};

pub(crate) async fn run(args: &CertArgs, talk: Talk) -> Result<(), Failure> {
    match &args.command {
        CertCommand::New(args) => make::new(args, talk),
        CertCommand::Ca(args) => make::authority(args, talk),
        CertCommand::Csr(args) => make::request(args, talk),
        CertCommand::Show(args) => show::run(args, talk).await,
        CertCommand::Verify(args) => verify::run(args, talk).await,
        CertCommand::Match(args) => pair::run(args, talk),
    }
}
