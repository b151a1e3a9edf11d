use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use services::{Program, Watched};
use wire::{Connection, Request};

use crate::configuration::{Configuration, WHO};
use crate::{Proxy, SetUp};

/// Where Debian's package has Apache's modules.
const MODULES: &str = "/usr/lib/apache2/modules";

/// A running proxy in front of one origin, that is stopped and removed when this is dropped or the
/// process ends, however that ends.
#[derive(Debug)]
pub struct Relay {
    proxy: Proxy,
    set_up: SetUp,
    watched: Watched,
}

impl Relay {
    /// Starts a proxy; `None`, and a line on stderr, where it is not installed.
    ///
    /// # Panics
    /// If the proxy does not start, or is missing while `REQUIRE_SERVICES` is set.
    pub async fn start(proxy: Proxy, set_up: SetUp, origin: SocketAddr) -> Option<Self> {
        let Some(program) = services::program(proxy.program()) else {
            services::not_installed(proxy.name(), proxy.package());
            return None;
        };
        let mut watched = Watched::new(&Program {
            name: proxy.name(),
            user: proxy.user(),
            install: "true",
            serve: proxy.serve(),
            stop: "kill -s TERM $server",
            paths: vec![("SERVE", program), ("MODULES", PathBuf::from(MODULES))],
        });
        let base = watched.base().to_owned();
        let name = base.file_name().and_then(|name| name.to_str());
        let name = name
            .expect("a folder with the name that we gave it")
            .to_owned();
        let configure = |port| {
            let configuration = Configuration {
                port,
                origin,
                set_up,
                name: &name,
            };
            // HAProxy wants its last line to end.
            let text = configuration.of(proxy) + "\n";
            fs::write(base.join("configuration"), text)
        };
        let name = &name;
        let answers =
            |port| async move { who_answers(port).await.is_ok_and(|answer| answer == *name) };
        watched.start(configure, answers).await;
        Some(Self {
            proxy,
            set_up,
            watched,
        })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.watched.port()).into()
    }

    /// Which proxy it is.
    pub fn proxy(&self) -> Proxy {
        self.proxy
    }

    /// What it does to answers.
    pub fn set_up(&self) -> SetUp {
        self.set_up
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        self.watched.log()
    }

    /// Its data folder, where its processes are.
    pub fn data(&self) -> PathBuf {
        self.watched.data()
    }
}

async fn who_answers(port: u16) -> wire::Result<String> {
    let mut connection = Connection::open((Ipv4Addr::LOCALHOST, port).into()).await?;
    let answer = connection.send(&Request::new("GET", WHO)).await?;
    Ok(answer.text().trim().to_owned())
}
