//! What is measured: groups of variants that are asked for the same thing.

use clap::ValueEnum;

/// A server that does the same as the others of its group, with another guard or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Variant {
    /// No layer; writes and reads blindly.
    Bare,
    /// The check in the handler.
    Handwritten,
    /// The check as a middleware function.
    FromFn,
    /// The layer on `MemoryStore`.
    Ours,
    /// What the documentation mounts around the layer, without the layer.
    BareMount,
    /// The documented mount.
    Mount,
    /// On a database: no layer; writes and reads blindly.
    Blind,
    /// The same on a table without the migration's triggers.
    WithoutTriggers,
    /// As `Handwritten`, with one connection for both statements.
    OneConnection,
    /// The layer, and the handler's own `UPDATE … WHERE version = …`.
    CompareAndSwap,
    /// The layer, and the store's own compare and swap.
    Helper,
    /// The layer's transaction.
    Transaction,
}

/// What a group asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// PUTs that name the version that the one before made.
    Put,
    Get,
    /// GETs that name the current version.
    NotModified,
    /// PUTs that name an old version.
    Stale,
    /// PUTs from all connections to the same resource.
    OneRow,
}

/// Where the resources are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Place {
    Memory,
    Sqlite,
    Postgres,
}

#[derive(Debug)]
pub(crate) struct Group {
    /// For the command line.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) place: Place,
    pub(crate) kind: Kind,
    /// Each with the one that it is compared with.
    pub(crate) variants: &'static [(Variant, Variant)],
}

/// All groups, in the order of the report.
pub(crate) const GROUPS: &[Group] = &[
    Group {
        name: "memory-put",
        title: "PUT that passes, in memory",
        place: Place::Memory,
        kind: Kind::Put,
        variants: IN_MEMORY,
    },
    Group {
        name: "memory-get",
        title: "GET, in memory",
        place: Place::Memory,
        kind: Kind::Get,
        variants: IN_MEMORY,
    },
    Group {
        name: "memory-304",
        title: "GET answered 304 (those without a guard: 200), in memory",
        place: Place::Memory,
        kind: Kind::NotModified,
        variants: IN_MEMORY,
    },
    Group {
        name: "memory-412",
        title: "PUT with a stale tag, answered 412 (those without a guard: 204), in memory",
        place: Place::Memory,
        kind: Kind::Stale,
        variants: IN_MEMORY,
    },
    Group {
        name: "sqlite-put",
        title: "PUT that passes, SQLite",
        place: Place::Sqlite,
        kind: Kind::Put,
        variants: WRITES,
    },
    Group {
        name: "sqlite-get",
        title: "GET, SQLite",
        place: Place::Sqlite,
        kind: Kind::Get,
        variants: READS,
    },
    Group {
        name: "sqlite-one",
        title: "PUTs to one row, SQLite",
        place: Place::Sqlite,
        kind: Kind::OneRow,
        variants: WRITES,
    },
    Group {
        name: "postgres-put",
        title: "PUT that passes, PostgreSQL",
        place: Place::Postgres,
        kind: Kind::Put,
        variants: WRITES,
    },
    Group {
        name: "postgres-get",
        title: "GET, PostgreSQL",
        place: Place::Postgres,
        kind: Kind::Get,
        variants: READS,
    },
    Group {
        name: "postgres-one",
        title: "PUTs to one row, PostgreSQL",
        place: Place::Postgres,
        kind: Kind::OneRow,
        variants: WRITES,
    },
];

const IN_MEMORY: &[(Variant, Variant)] = &[
    (Variant::Bare, Variant::Bare),
    (Variant::Handwritten, Variant::Bare),
    (Variant::FromFn, Variant::Bare),
    (Variant::Ours, Variant::Bare),
    (Variant::BareMount, Variant::BareMount),
    (Variant::Mount, Variant::BareMount),
];

const WRITES: &[(Variant, Variant)] = &[
    (Variant::Blind, Variant::Blind),
    (Variant::WithoutTriggers, Variant::Blind),
    (Variant::Handwritten, Variant::Blind),
    (Variant::OneConnection, Variant::Blind),
    (Variant::CompareAndSwap, Variant::Blind),
    (Variant::Helper, Variant::Blind),
    (Variant::Transaction, Variant::Blind),
];

const READS: &[(Variant, Variant)] = &[
    (Variant::Blind, Variant::Blind),
    (Variant::Handwritten, Variant::Blind),
    (Variant::CompareAndSwap, Variant::Blind),
];

impl Kind {
    /// Whether no PUTs are sent.
    pub(crate) fn reads(self) -> bool {
        matches!(self, Self::Get | Self::NotModified)
    }
}

impl Place {
    /// How many connections there are, unless one says.
    pub(crate) fn connections(self) -> u16 {
        match self {
            Self::Memory => 32,
            Self::Sqlite | Self::Postgres => 16,
        }
    }
}

impl Variant {
    /// What tables call it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Handwritten => "handwritten in the handler",
            Self::FromFn => "handwritten as `from_fn`",
            Self::Ours => "`IfMatchLayer`",
            Self::BareMount => "documented mount without `IfMatchLayer`",
            Self::Mount => "documented mount",
            Self::Blind => "blind",
            Self::WithoutTriggers => "blind, without the triggers",
            Self::OneConnection => "handwritten, both statements on one connection",
            Self::CompareAndSwap => "compare and swap",
            Self::Helper => "the store's `compare_and_swap`",
            Self::Transaction => "transaction",
        }
    }

    /// Whether it looks at conditions.
    fn guards(self) -> bool {
        !matches!(
            self,
            Self::Bare | Self::BareMount | Self::Blind | Self::WithoutTriggers
        )
    }

    /// What it answers.
    pub(crate) fn status(self, kind: Kind) -> u16 {
        match kind {
            Kind::NotModified if self.guards() => 304,
            Kind::Stale if self.guards() => 412,
            Kind::Get | Kind::NotModified => 200,
            Kind::Put | Kind::Stale | Kind::OneRow => 204,
        }
    }
}
