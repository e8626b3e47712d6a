//! `tls://`: stdin to the server, the server to stdout.

use std::io::{self, IsTerminal};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::connect::Connector;
use super::report::Report;
use super::url::Target;
use crate::exit::{Failure, plain};
use crate::output::Talk;

/// Bytes read at a time.
const CHUNK: usize = 16 * 1024;

/// Pipes until the server closes.
pub(crate) async fn run(
    connector: &Connector<'_>,
    target: &Target,
    talk: Talk,
) -> Result<(), Failure> {
    let connected = connector.connect(target).await?;
    Report::new(&connected).tell(talk);
    let (mut from_server, mut to_server) = connected.stream.into_split();
    let send = async {
        // Somebody at a terminal would have to know how to end the input.
        if !io::stdin().is_terminal() {
            copy(&mut tokio::io::stdin(), &mut to_server).await?;
        }
        to_server.shutdown().await
    };
    let mut stdout = tokio::io::stdout();
    let receive = copy(&mut from_server, &mut stdout);
    tokio::pin!(send, receive);
    let received = tokio::select! {
        received = &mut receive => received,
        sent = &mut send => {
            if let Err(error) = sent {
                talk.warn(format_args!("not everything was sent: {}", plain(&error)));
            }
            receive.await
        }
    };
    match received {
        // Whoever reads our output has had enough.
        Err(Fault::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(Fault::Write(error)) => Err(Failure::stdout(&error)),
        Err(Fault::Read(error)) => Err(Failure::connection(&target.host, &error)),
        Ok(()) => Ok(()),
    }
}

/// Which side of a copy failed.
#[derive(Debug)]
enum Fault {
    Read(io::Error),
    Write(io::Error),
}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Read(error) | Fault::Write(error) => error,
        }
    }
}

/// Copies to the end, and passes on at once whatever comes.
async fn copy<R, W>(from: &mut R, to: &mut W) -> Result<(), Fault>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut buffer = vec![0; CHUNK];
    loop {
        let count = from.read(&mut buffer).await.map_err(Fault::Read)?;
        if count == 0 {
            return Ok(());
        }
        let bytes = buffer.get(..count).unwrap_or_default();
        to.write_all(bytes).await.map_err(Fault::Write)?;
        to.flush().await.map_err(Fault::Write)?;
    }
}
