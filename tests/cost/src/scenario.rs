//! What is measured: a name, what it is compared with, and the work of one request.

mod around;
mod asked;
mod bulk;
mod conditions;
mod hooks;
mod reads;
mod refusals;
mod requests;
mod writes;

#[cfg(test)]
pub(crate) use self::requests::{passing, reading};

/// Something whose cost is measured.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// What it stands beside in the table: the same requests through the no-op layer.
    pub(crate) beside: Option<&'static str>,
    /// Makes ready what so many runs need, outside of what is measured.
    pub(crate) prepare: fn(usize) -> Run,
}

/// Does the work once.
pub(crate) type Run = Box<dyn FnMut()>;

const fn scenario(
    name: &'static str,
    beside: Option<&'static str>,
    prepare: fn(usize) -> Run,
) -> Scenario {
    Scenario {
        name,
        beside,
        prepare,
    }
}

/// All scenarios, in the order of the table.
pub(crate) fn all() -> impl Iterator<Item = &'static Scenario> {
    [
        writes::ROWS,
        refusals::ROWS,
        reads::ROWS,
        hooks::ROWS,
        asked::ROWS,
        around::ROWS,
        bulk::ROWS,
        conditions::ROWS,
    ]
    .into_iter()
    .flatten()
}

const NOOP_PUT: Option<&str> = Some("put no-op");
const NOOP_GET: Option<&str> = Some("get no-op");

/// The scenario of this name.
pub(crate) fn named(name: &str) -> Option<&'static Scenario> {
    all().find(|scenario| scenario.name == name)
}

/// The same run, with somebody who keeps what is counted.
#[cfg(feature = "metrics")]
fn recorded(mut run: Run) -> Run {
    let recorder = crate::recorder::Kept::default();
    Box::new(move || metrics::with_local_recorder(&recorder, &mut run))
}
