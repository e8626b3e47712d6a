//! Futures that are dropped before they are done.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// Polls once; whether it is pending.
pub(crate) async fn is_pending<F: Future>(future: F) -> bool {
    let mut future = pin!(future);
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}

/// Polls up to `tries` times, then drops the future.
pub(crate) async fn give_up_after<F: Future>(tries: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = tries;
    let result = poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => {
            left -= 1;
            if left == 0 {
                Poll::Ready(None)
            } else {
                // Two sides that only wait for each other would never give up.
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    })
    .await;
    if result.is_none() {
        // Whoever gives up lets the others go on.
        tokio::task::yield_now().await;
    }
    result
}
