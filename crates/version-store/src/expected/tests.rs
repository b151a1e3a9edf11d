use super::*;
use crate::MemoryStore;

type Posts = MemoryStore<u64, String>;

fn lent() -> (Slot<Expected<Posts>>, Expected<Posts>) {
    let slot = Slot::new(7, Demand::Any);
    let expected = slot.take().unwrap();
    (slot, expected)
}

#[test]
fn a_row_settles_as_written_and_none_as_lost() {
    let (slot, expected) = lent();
    let made = expected.settle(Some(Version::new(6))).unwrap();
    assert_eq!(*made.revision(), 6);
    let Ending::Written(Made {
        version: Some(told),
        verbatim: false,
    }) = slot.close()
    else {
        panic!("not settled as written");
    };
    assert!(told.same_state(&made));

    let (slot, expected) = lent();
    expected.settle(None).unwrap_err();
    assert!(matches!(slot.close(), Ending::Lost));
}

/// What a handler does with a negative column: it fails before it settles, and its success would be 500.
#[test]
fn a_negative_column_settles_nothing() {
    let (slot, expected) = lent();
    let settle = |row: Option<i64>| -> Result<(), Box<dyn std::error::Error>> {
        expected.settle(row.map(Version::try_from).transpose()?)?;
        Ok(())
    };
    settle(Some(-6)).unwrap_err();
    assert!(matches!(slot.close(), Ending::Unsettled));
}
