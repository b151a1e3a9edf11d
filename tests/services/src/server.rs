//! A server's life.

use std::{
    fs::{self, File},
    io::Write as _,
    net::{Ipv4Addr, TcpListener},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep, timeout_at};

use crate::{Database, Product, Programs, account::Account};

/// The longest wait for a server to answer or to be gone. It is a bound for a machine with too much
/// to do, not an expectation.
const PATIENCE: Duration = Duration::from_mins(1);

/// Between two looks at something that tells nobody when it happens. Not a guess at how long it
/// takes: nothing goes on before a look has seen it.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// How often another port is tried if the server does not start at one: somebody may have been
/// faster to take it.
const PORTS: usize = 3;

/// A running server, that is stopped and removed when this is dropped or the process ends.
#[derive(Debug)]
pub struct Server {
    product: Product,
    port: u16,
    base: PathBuf,
    /// Ends the server when its stdin ends.
    watcher: Child,
}

impl Server {
    pub(crate) async fn start(product: Product, programs: &Programs) -> Self {
        let mut server = Self::install(product, programs);
        for _ in 0..PORTS {
            server.port = free_port();
            server.order_start();
            if server.answers().await.is_ok() {
                return server;
            }
        }
        panic!("{product} does not start:\n{}", server.log());
    }

    fn install(product: Product, programs: &Programs) -> Self {
        let folder = tempfile::Builder::new().prefix("services-").tempdir();
        let folder = folder.expect("a temporary folder");
        // As /proc and the servers tell it.
        let base = fs::canonicalize(folder.path()).expect("a folder just made");
        let log = File::create(base.join("log")).expect("a file in the temporary folder");
        let account = Account::other_than_root(product);
        let mut command = Command::new("sh");
        command
            .args(["-c", include_str!("watch.sh")])
            .current_dir(&base)
            .env("INSTALL", &programs.install)
            .env("INSTALL_COMMAND", product.install())
            .env("SERVE", &programs.serve)
            .env("SERVE_COMMAND", product.serve())
            .env("STOP_COMMAND", product.stop())
            .env("LC_ALL", "C")
            // The one of this process may be closed to the account of the server.
            .env("TMPDIR", &base)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            // Ctrl-C at a terminal goes to the whole group: it must not end the watcher first.
            .process_group(0);
        if let Some(account) = account {
            account.own(&base).expect("root may give a folder away");
            account.run(&mut command);
        }
        let watcher = command.spawn().unwrap_or_else(|error| {
            panic!(
                "a shell in {}, as the server's user: {error}",
                base.display()
            )
        });
        // The watcher removes it, so that it goes even if this process is killed.
        let _ = folder.keep();
        Self {
            product,
            port: 0,
            base,
            watcher,
        }
    }

    /// A new, empty database.
    ///
    /// # Panics
    /// If the server does not make one.
    pub async fn database(&self) -> Database {
        Database::at(self.product, &self.url()).await
    }

    /// Kills the server with all its processes, as a loss of power would, and waits until they are
    /// gone. Whatever it was about to answer is not answered.
    ///
    /// # Panics
    /// If a process is still there after a minute.
    pub async fn kill9(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let processes = self.processes();
            if processes.is_empty() {
                return;
            }
            assert!(Instant::now() < deadline, "{processes:?} survive SIGKILL");
            for process in processes {
                // One that has ended meanwhile is as well.
                let _ = kill_process(process, Signal::KILL);
            }
            // Another process's end is nothing one can wait for.
            sleep(BETWEEN_LOOKS).await;
        }
    }

    /// Starts the server again after [`kill9`](Self::kill9), with its data and at its port, and
    /// waits until it answers.
    ///
    /// # Panics
    /// If the server still runs, or does not answer within a minute.
    pub async fn start_again(&self) {
        assert!(self.processes().is_empty(), "{} still runs", self.product);
        for name in self.product.stale() {
            let _ = fs::remove_file(self.data().join(name));
        }
        self.order_start();
        let answers = self.answers().await.is_ok();
        assert!(
            answers,
            "{} does not start again:\n{}",
            self.product,
            self.log()
        );
    }

    /// What the server has written to its log.
    pub fn log(&self) -> String {
        let log = fs::read(self.base.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// The server's data folder.
    pub fn data(&self) -> PathBuf {
        self.base.join("data")
    }

    /// The numbers of the server's processes, the first one's first.
    pub fn process_ids(&self) -> Vec<u32> {
        let processes = self.processes().into_iter();
        processes
            .map(|id| id.as_raw_nonzero().get().unsigned_abs())
            .collect()
    }

    /// The URL of the database that is always there.
    pub(crate) fn url(&self) -> String {
        let database = self.product.first_database();
        self.product.url(self.port, database)
    }

    fn order_start(&self) {
        let _ = fs::remove_file(self.running());
        let mut orders = self.watcher.stdin.as_ref().expect("it is piped");
        writeln!(orders, "{}", self.port).expect("the watcher runs");
    }

    /// Waits until the server answers; an error if it ends before.
    async fn answers(&self) -> Result<(), Ended> {
        let deadline = Instant::now() + PATIENCE;
        let url = self.url();
        loop {
            let answer = timeout_at(deadline, self.product.data_folder(&url)).await;
            let Ok(answer) = answer else {
                panic!("{} does not answer:\n{}", self.product, self.log());
            };
            // Another server may have got the port first.
            if answer.is_ok_and(|folder| Path::new(&folder) == self.data()) {
                return Ok(());
            }
            if self.has_ended() {
                return Err(Ended);
            }
            // Nobody tells when a port begins to listen.
            sleep(BETWEEN_LOOKS).await;
        }
    }

    /// Whether the server was started and has ended.
    fn has_ended(&self) -> bool {
        let Ok(running) = fs::read_to_string(self.running()) else {
            return false;
        };
        match running.strip_suffix('\n') {
            Some("failed") => true,
            Some(process) => !runs(process),
            // Not written yet.
            None => false,
        }
    }

    fn running(&self) -> PathBuf {
        self.base.join("running")
    }

    /// All processes whose current folder is the data folder: that is where both products' servers
    /// stay. PostgreSQL puts each of its processes into a group of its own, so the first one's group
    /// would not have them all.
    fn processes(&self) -> Vec<Pid> {
        let data = self.data();
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let mut processes: Vec<Pid> = entries
            .filter(|entry| fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == data))
            .filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
            .collect();
        // The one that the watcher started comes first, or it would see the others end and start
        // to recover while it is being killed.
        let first = fs::read_to_string(self.running()).unwrap_or_default();
        let first = first.trim().parse().ok().and_then(Pid::from_raw);
        processes.sort_by_key(|process| Some(*process) != first);
        processes
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Closes the watcher's stdin, too.
        let _ = self.watcher.wait();
    }
}

/// The server ended before it answered.
struct Ended;

/// Whether a process runs; one that has ended and was not waited for does not.
fn runs(process: &str) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(process).join("stat"));
    // The state follows the name, which is in parentheses and may contain some.
    stat.is_ok_and(|stat| {
        stat.rsplit(") ")
            .next()
            .is_some_and(|rest| !rest.starts_with('Z'))
    })
}

/// A port below those that the system gives to outgoing connections, so that none takes it while the
/// server is down between [`kill9`](Server::kill9) and [`start_again`](Server::start_again).
fn free_port() -> u16 {
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let mut ports = std::iter::repeat_with(|| rand::random_range(15_000..32_000));
    ports.by_ref().take(1_000).find(free).expect("a free port")
}
