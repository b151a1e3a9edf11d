//! Rounds in which all variants of a group take their turn, so that what slows the machine down for a
//! while slows all of them.

use std::fmt;
use std::io;
use std::time::Duration;

use serde::Serialize;
use tokio::task::spawn_blocking;

use crate::child::Server;
use crate::cores::Cores;
use crate::load::{Answered, Failed, Script, Until, drive};
use crate::plan::{Group, Kind, Place, Variant};
use crate::round_trips::{PerRequest, Proxy};
use crate::serve::Served;

/// How everything is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting<'a> {
    pub(crate) rounds: usize,
    /// What counts of each turn.
    pub(crate) counted: Duration,
    pub(crate) connections: Option<u16>,
    pub(crate) cores: Option<Cores>,
    /// Where PostgreSQL is.
    pub(crate) postgres: Option<&'a str>,
}

/// What one variant gave in one round, per second.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Turn {
    pub(crate) requests: f64,
    pub(crate) successes: f64,
    /// Microseconds that the server's process was on its core, for each request. What else runs on the
    /// core does not count, so it jitters less than the others.
    pub(crate) busy: Option<f64>,
}

/// A variant's turns, in the order of the rounds.
#[derive(Debug)]
pub(crate) struct Turns {
    pub(crate) variant: Variant,
    pub(crate) beside: Variant,
    pub(crate) each: Vec<Turn>,
}

/// A group that was measured.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) group: &'static Group,
    pub(crate) connections: u16,
    pub(crate) variants: Vec<Turns>,
    /// On PostgreSQL, but not where connections wait for each other.
    pub(crate) round_trips: Vec<PerRequest>,
}

/// A variant that could not be measured.
#[derive(Debug)]
pub(crate) struct Broken {
    variant: Variant,
    why: Why,
}

#[derive(Debug)]
enum Why {
    NotStarted(io::Error),
    Failed(Failed),
}

/// Measures a group; tells on stderr how far it is.
pub(crate) async fn measured(
    group: &'static Group,
    setting: Setting<'_>,
) -> Result<Measured, Broken> {
    let connections = setting
        .connections
        .unwrap_or_else(|| group.place.connections());
    let turns = |(variant, beside): &(Variant, Variant)| Turns {
        variant: *variant,
        beside: *beside,
        each: Vec::new(),
    };
    let mut variants: Vec<_> = group.variants.iter().map(turns).collect();
    for round in 0..setting.rounds {
        eprintln!("{}: round {} of {}", group.name, round + 1, setting.rounds);
        for place in 0..variants.len() {
            // Nobody always comes first, when the machine has just rested, or after the same one.
            let place = (place + round) % variants.len();
            let of = &mut variants[place];
            let turn = turn(group, of.variant, connections, setting).await;
            let turn = turn.map_err(|why| Broken {
                variant: of.variant,
                why,
            })?;
            eprintln!("  {:8.0}/s {}", turn.successes, of.variant.title());
            of.each.push(turn);
        }
    }
    let mut round_trips = Vec::new();
    if let (Place::Postgres, Some(database)) = (group.place, setting.postgres)
        && group.kind != Kind::OneRow
    {
        for of in &variants {
            let counted = counted(group, of.variant, database).await;
            round_trips.push(counted.map_err(|why| Broken {
                variant: of.variant,
                why,
            })?);
        }
    }
    Ok(Measured {
        group,
        connections,
        variants,
        round_trips,
    })
}

/// What one connection's requests ask the database.
async fn counted(group: &Group, variant: Variant, database: &str) -> Result<PerRequest, Why> {
    const REQUESTS: u32 = 200;
    let proxy = Proxy::start(database).await.map_err(Why::NotStarted)?;
    let served = Served {
        place: group.place,
        database: proxy.url(database).map_err(Why::NotStarted)?,
        variant,
        connections: 1,
        core: None,
    };
    // It waits for the server, which waits for the proxy on this thread.
    let server = spawn_blocking(move || Server::start(&served)).await;
    let server = server.unwrap_or_else(|error| Err(io::Error::other(error)));
    let server = server.map_err(Why::NotStarted)?;
    let script = Script {
        kind: group.kind,
        expected: variant.status(group.kind),
    };
    let mut before = None;
    // The first ones, which prepare the statements, do not count.
    for _ in 0..2 {
        before = Some(proxy.counted());
        let answered = drive(server.port(), 1, script, Until::Requests(REQUESTS));
        answered.await.map_err(Why::Failed)?;
    }
    let before = before.unwrap_or_default();
    Ok(PerRequest::new(
        variant,
        &before,
        &proxy.counted(),
        REQUESTS,
    ))
}

async fn turn(
    group: &Group,
    variant: Variant,
    connections: u16,
    setting: Setting<'_>,
) -> Result<Turn, Why> {
    // A file of its own for each turn; the tables of PostgreSQL are made anew by the server.
    let folder = tempfile::tempdir().map_err(Why::NotStarted)?;
    let database = match group.place {
        Place::Memory => String::new(),
        Place::Sqlite => folder.path().join("posts.db").display().to_string(),
        Place::Postgres => setting.postgres.unwrap_or_default().to_owned(),
    };
    let server = Server::start(&Served {
        place: group.place,
        database,
        variant,
        connections,
        core: setting.cores.map(|cores| cores.server),
    });
    let server = server.map_err(Why::NotStarted)?;
    let script = Script {
        kind: group.kind,
        expected: variant.status(group.kind),
    };
    let until = Until::Time {
        warm_up: setting.counted / 4,
        counted: setting.counted,
    };
    let before = server.busy();
    let answered = drive(server.port(), connections, script, until);
    let answered = answered.await.map_err(Why::Failed)?;
    let busy = server.busy().zip(before);
    let busy = busy.map(|(after, before)| after.saturating_sub(before));
    Ok(Turn::new(answered, setting.counted, busy))
}

impl Turn {
    fn new(answered: Answered, counted: Duration, busy: Option<Duration>) -> Self {
        let per_second = |count: u32| f64::from(count) / counted.as_secs_f64();
        Self {
            requests: per_second(answered.requests),
            successes: per_second(answered.successes),
            busy: busy.map(|busy| busy.as_secs_f64() * 1e6 / f64::from(answered.sent)),
        }
    }
}

impl Measured {
    /// What a variant gave of what the one beside it gave in the same round: the least, the median and the
    /// most of all rounds. `None` for one that is compared with itself.
    pub(crate) fn ratios(&self, of: &Turns) -> Option<[f64; 3]> {
        if of.variant == of.beside {
            return None;
        }
        let mut variants = self.variants.iter();
        let beside = variants.find(|other| other.variant == of.beside)?;
        let pairs = of.each.iter().zip(&beside.each);
        let mut ratios: Vec<_> = pairs
            .map(|(of, beside)| of.successes / beside.successes)
            .collect();
        ratios.sort_by(f64::total_cmp);
        Some([*ratios.first()?, median(&ratios)?, *ratios.last()?])
    }
}

impl Turns {
    /// `None` where no turn has the figure.
    pub(crate) fn median(&self, figure: impl Fn(&Turn) -> Option<f64>) -> Option<f64> {
        let mut figures: Vec<_> = self.each.iter().filter_map(figure).collect();
        figures.sort_by(f64::total_cmp);
        median(&figures)
    }
}

/// Of figures in order; of an even number of them the mean of the two in the middle.
fn median(sorted: &[f64]) -> Option<f64> {
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted.get(sorted.len().checked_sub(1)? / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.variant.title())?;
        match &self.why {
            Why::NotStarted(error) => write!(f, "{error}"),
            Why::Failed(failed) => write!(f, "{failed}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::GROUPS;

    fn turns(variant: Variant, beside: Variant, figures: &[f64]) -> Turns {
        let turn = |figure: &f64| Turn {
            requests: *figure,
            successes: *figure,
            busy: None,
        };
        Turns {
            variant,
            beside,
            each: figures.iter().map(turn).collect(),
        }
    }

    #[test]
    fn ratios_are_of_the_same_round() {
        // The machine was half as fast in the second round, which no ratio shows.
        let measured = Measured {
            group: &GROUPS[0],
            connections: 1,
            round_trips: Vec::new(),
            variants: vec![
                turns(Variant::Bare, Variant::Bare, &[100.0, 50.0, 100.0]),
                turns(Variant::Ours, Variant::Bare, &[80.0, 40.0, 90.0]),
            ],
        };
        assert_eq!(measured.ratios(&measured.variants[0]), None);
        let ratios = measured.ratios(&measured.variants[1]);
        assert_eq!(ratios, Some([0.8, 0.8, 0.9]));
    }

    #[test]
    fn a_median_of_an_even_number_is_between_the_two_in_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[1.0]), Some(1.0));
        assert_eq!(median(&[1.0, 2.0, 4.0, 9.0]), Some(3.0));
    }
}
