//! The guide under `docs`: its code, run as it stands there, its terminal sessions, played as they stand
//! there, and its links, followed.

pub mod book;
mod counter;
mod request;
mod session;
mod table;

pub use counter::{blind_counter, eight_scripts};
pub use request::{Answer, Told, ask, create, get, one_of_sixteen, put, says};
pub use session::plays;
pub use table::posts_table;

/// The chapters whose code runs as doctests of this crate.
macro_rules! chapters {
    ($($name:ident = $file:literal),* $(,)?) => {
        /// The files of these chapters, in `docs`.
        pub const CHAPTERS: &[&str] = &[$($file),*];
        $(
            #[cfg(doctest)]
            #[doc = include_str!(concat!("../../../docs/", $file))]
            mod $name {}
        )*
    };
}

chapters! {
    why = "why.md",
    five_minutes = "five-minutes.md",
    closing_the_race = "closing-the-race.md",
    keys_and_policy = "keys-and-policy.md",
    answers = "answers.md",
    clients = "clients.md",
    proxies_and_caches = "proxies-and-caches.md",
    rollout = "rollout.md",
    observability = "observability.md",
    migration = "migration.md",
}
