use std::fmt;

/// A reverse proxy's product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxy {
    /// F5's, formerly Igor Sysoev's: `nginx`.
    Nginx,
    /// The Apache HTTP server: `httpd`, with Debian `apache2`.
    Apache,
    /// Willy Tarreau's: `haproxy`.
    HaProxy,
}

/// What a proxy does to answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetUp {
    /// Passes them on.
    Plain,
    /// Encodes JSON for clients that accept gzip.
    Gzip,
}

impl Proxy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Nginx, Self::Apache, Self::HaProxy];

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Apache => "Apache httpd",
            Self::HaProxy => "HAProxy",
        }
    }

    /// Debian's package.
    pub(crate) fn package(self) -> &'static str {
        match self {
            Self::Nginx => "nginx-light",
            Self::Apache => "apache2",
            Self::HaProxy => "haproxy",
        }
    }

    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Apache => "apache2",
            Self::HaProxy => "haproxy",
        }
    }

    /// The user that the package makes, or that it runs the proxy as.
    pub(crate) fn user(self) -> &'static str {
        match self {
            Self::Nginx | Self::Apache => "www-data",
            Self::HaProxy => "haproxy",
        }
    }

    /// The shell command that serves, in the foreground, from the data folder.
    pub(crate) fn serve(self) -> &'static str {
        match self {
            // What it says before it has read where to log goes to stderr, too.
            Self::Nginx => r#""$SERVE" -e stderr -p "$PWD/" -c "$PWD/../configuration""#,
            Self::Apache => r#""$SERVE" -D FOREGROUND -d "$PWD" -f "$PWD/../configuration""#,
            Self::HaProxy => r#""$SERVE" -db -f ../configuration"#,
        }
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl SetUp {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Plain, Self::Gzip];
}
