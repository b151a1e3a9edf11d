//! The cells of the campaign: which strategy closes the race on which store.

use std::fmt;
use std::str::FromStr;

use clap::ValueEnum;
use services::Product;

/// One store with one strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The store.
    pub store: Store,
    /// The strategy.
    pub strategy: Strategy,
}

/// Where the posts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// In the memory of the one server process.
    Memory,
    /// In a file that several processes write.
    Sqlite,
    /// In a database server.
    Server(Product),
}

/// Who closes the race.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Strategy {
    /// The handler's conditional write.
    CompareAndSwap,
    /// The layer's transaction.
    Transaction,
    /// The layer's lock.
    SingleProcess,
    /// The layer's lock, on versions made of what the service itself serves.
    Representation,
}

impl Cell {
    /// All cells.
    pub const ALL: [Self; 9] = [
        Self::new(Store::Sqlite, Strategy::CompareAndSwap),
        Self::new(Store::Sqlite, Strategy::Transaction),
        Self::new(Store::Server(Product::Postgres), Strategy::CompareAndSwap),
        Self::new(Store::Server(Product::Postgres), Strategy::Transaction),
        Self::new(Store::Server(Product::MariaDb), Strategy::CompareAndSwap),
        Self::new(Store::Server(Product::MariaDb), Strategy::Transaction),
        Self::new(Store::Memory, Strategy::CompareAndSwap),
        Self::new(Store::Memory, Strategy::SingleProcess),
        Self::new(Store::Memory, Strategy::Representation),
    ];

    const fn new(store: Store, strategy: Strategy) -> Self {
        Self { store, strategy }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.store, self.strategy)
    }
}

/// As [`Display`](fmt::Display) writes it.
impl FromStr for Cell {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|cell| cell.to_string() == name);
        found.ok_or_else(|| {
            let names: Vec<String> = Self::ALL.iter().map(ToString::to_string).collect();
            format!("the cells are {}", names.join(", "))
        })
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Sqlite => "sqlite",
            Self::Server(Product::MariaDb) => "mariadb",
            Self::Server(_) => "postgres",
        })
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        f.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}
