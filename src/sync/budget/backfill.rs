//! Whether a call is made for a first reading, so that its calls are counted apart. The mark goes with the work, through
//! whatever it awaits: no connector need be told for whom it asks.

use std::future::Future;

tokio::task_local! {
    static FIRST_READING: ();
}

/// Does this work as that of a first reading.
pub async fn marked<F: Future>(work: F) -> F::Output {
    FIRST_READING.scope((), work).await
}

/// True within such work.
pub fn is_marked() -> bool {
    FIRST_READING.try_with(|()| ()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_mark_goes_with_the_work_and_ends_with_it() {
        assert!(!is_marked());
        let beside = async { is_marked() };
        let (within, beside) = tokio::join!(marked(async { is_marked() }), beside);
        assert!(within && !beside && !is_marked());
    }
}
