//! The suite itself: what is sound passes, and of each flaw it is known which checks find it.

mod flawed;

use std::convert::Infallible;

use super::*;
use crate::{Key, KeyEncoder, MemoryStore};
use flawed::{Flaw, Flawed};

#[derive(Clone)]
struct InMemory {
    numbers: MemoryStore<u64, u64>,
    spawns: bool,
}

impl UnderTest for InMemory {
    type Store = MemoryStore<u64, u64>;
    type Error = Infallible;

    fn versions(&self) -> Self::Store {
        self.numbers.clone()
    }

    fn key(&self, number: u64) -> u64 {
        number
    }

    async fn write(&self, marker: u64, expected: Expected<Self::Store>) -> Result<(), WriteError> {
        self.numbers.put(marker, expected)?;
        Ok(())
    }

    async fn remove(&self, expected: Expected<Self::Store>) -> Result<(), WriteError> {
        self.numbers.remove(expected)
    }

    async fn read(&self, key: &u64) -> Result<Option<Versioned<u64>>, Infallible> {
        Ok(self.numbers.get(key))
    }

    fn spawn(&self, worker: Worker) -> Worker {
        if !self.spawns {
            return worker;
        }
        let task = tokio::spawn(worker);
        Box::pin(async { task.await.unwrap() })
    }
}

#[tokio::test]
async fn the_memory_store_conforms() {
    let numbers = MemoryStore::new();
    assert_conforms(InMemory {
        numbers,
        spawns: false,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_memory_store_conforms_on_several_threads() {
    let numbers = MemoryStore::with_history(2);
    assert_conforms(InMemory {
        numbers,
        spawns: true,
    })
    .await;
}

async fn found_in(flaw: Flaw) -> Vec<Check> {
    let report = match flaw {
        Flaw::AnswersLater => check(Flawed::<true>::with(flaw)).await,
        _ => check(Flawed::<false>::with(flaw)).await,
    };
    println!("{flaw:?}: {report}\n");
    report.findings().iter().map(Finding::check).collect()
}

/// The control of all the controls: without a flaw the same store is clean, and every check has run.
#[tokio::test]
async fn without_a_flaw_nothing_is_found() {
    let report = check(Flawed::<true>::with(Flaw::None)).await;
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.passed().len(), 11);
}

macro_rules! found {
    ($($test:ident: $flaw:ident => [$($check:ident),*];)*) => {$(
        #[tokio::test]
        async fn $test() {
            assert_eq!(found_in(Flaw::$flaw).await, [$(Check::$check),*]);
        }
    )*};
}

found! {
    a_write_that_goes_on_by_itself_is_no_flaw: WritesInTasks => [];
    nor_is_a_failure_that_wrote_nothing: FailsWhenBusy => [];
    no_comparison: NoCompare => [Keys, Demands, Versions, OneSuccessor, Counting];
    a_comparison_in_front_of_the_write: ComparesInFront => [OneSuccessor, Counting];
    a_comparison_in_front_of_the_removal: RemovesWhatItComparedBefore => [Demands, OneSuccessor];
    a_write_where_nothing_was_evaluated: WritesUnderNothing => [Demands];
    a_loss_that_wrote: LosesAfterWriting => [Keys, Demands, Versions, OneSuccessor, Counting];
    revisions_that_return: RevisionsReturn => [Versions];
    revisions_without_text: RevisionsWithoutText => [Versions];
    own_tags_that_return: OwnTagsReturn => [Versions];
    settled_without_the_own_tag: SettlesWithoutTheOwnTag => [Settlement];
    dates_that_stand: DatesStand => [Dates];
    settled_before_a_failure: SettlesBeforeFailing => [Demands, Settlement];
    settled_with_what_was_found_afterwards: SettlesWhatItFinds => [Settlement];
    a_second_handle_that_lags: SecondHandleLags => [Freshness];
    an_answer_that_waits: AnswersLater => [AnswersAtOnce];
    a_write_that_touches_its_neighbours: TouchesNeighbours => [Independence];
    two_rows_for_one_key: SpellingsAreRows => [Keys];
    two_encodings_of_one_key: SpellingsAreEncodings => [Keys];
    a_lock_that_outlives_its_writer: LeaksItsLock => [Cancellation];
    a_write_in_two_halves: WritesInHalves => [Cancellation];
    settled_before_the_write: SettlesBeforeWriting => [Cancellation];
    settled_before_the_removal: SettlesBeforeRemoving => [Cancellation];
    a_look_up_that_leaks_its_lock: LookUpLeaksItsLock => [Cancellation];
}

/// A report says what was done, what happened and what to fix.
#[tokio::test]
async fn a_report_says_what_to_fix() {
    let report = check(Flawed::<true>::with(Flaw::DatesStand)).await;
    let text = report.to_string();
    assert!(text.starts_with("1 of 11 checks failed\nDates: "), "{text}");
    assert!(
        text.contains("to fix: write max(now, last date + 1 s)"),
        "{text}"
    );
}

#[tokio::test]
#[should_panic(expected = "OneSuccessor: of 8 at once that all demanded")]
async fn a_store_that_does_not_conform_panics() {
    assert_conforms(Flawed::<true>::with(Flaw::ComparesInFront)).await;
}
