//! A program that ends with the process that started it.

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

use crate::account::Account;

/// The longest wait for a server to answer or to be gone. It is a bound for a machine with too much
/// to do, not an expectation.
const PATIENCE: Duration = Duration::from_mins(1);

/// Between two looks at something that tells nobody when it happens. Not a guess at how long it
/// takes: nothing goes on before a look has seen it.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// How often another port is tried if the server does not start at one: somebody may have been
/// faster to take it.
const PORTS: usize = 3;

/// A server's program: commands of a shell, which run in the data folder.
#[derive(Debug, Clone)]
pub struct Program {
    /// What messages call it.
    pub name: &'static str,
    /// The user to run it as where this process is root; `nobody` where there is no such user.
    pub user: &'static str,
    /// Makes the data folder's content, once.
    pub install: &'static str,
    /// Serves at `$port`, in the foreground: one program, which takes the shell's place.
    pub serve: &'static str,
    /// Ends `$server` and waits for nobody's work.
    pub stop: &'static str,
    /// Variables for the commands: where programs are.
    pub paths: Vec<(&'static str, PathBuf)>,
}

/// A running program with a temporary folder of its own; it is stopped and removed when this is
/// dropped or the process ends, however that ends.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let program = services::Program {
///     name: "a program that says when it is ready",
///     user: "nobody",
///     install: "true",
///     serve: r#"sh -c 'echo "$1" >ready; exec sleep 1000' serve "$port""#,
///     stop: "kill -s TERM $server",
///     paths: Vec::new(),
/// };
/// let mut watched = services::Watched::new(&program);
/// let data = watched.data();
/// watched.start(|_port| Ok(()), |_port| std::future::ready(data.join("ready").exists())).await;
/// assert_eq!(watched.process_ids().len(), 1);
/// drop(watched);
/// assert!(!data.exists());
/// # }
/// ```
#[derive(Debug)]
pub struct Watched {
    name: &'static str,
    port: u16,
    base: PathBuf,
    /// Ends the program when its stdin ends.
    watcher: Child,
}

impl Watched {
    /// Makes the folder, and starts what watches over the program; not yet the program.
    ///
    /// # Panics
    /// If there is no shell, or no temporary folder to be had.
    pub fn new(program: &Program) -> Self {
        let folder = tempfile::Builder::new().prefix("services-").tempdir();
        let folder = folder.expect("a temporary folder");
        // As /proc and the servers tell it.
        let base = fs::canonicalize(folder.path()).expect("a folder just made");
        // Several write to it, each at its end.
        let log = File::options()
            .create(true)
            .append(true)
            .open(base.join("log"));
        let log = log.expect("a file in the temporary folder");
        let account = Account::other_than_root(program.user);
        let mut command = Command::new("sh");
        command
            .args(["-c", include_str!("watch.sh")])
            .current_dir(&base)
            .envs(program.paths.iter().map(|(name, path)| (name, path)))
            .env("INSTALL_COMMAND", program.install)
            .env("SERVE_COMMAND", program.serve)
            .env("STOP_COMMAND", program.stop)
            .env("LC_ALL", "C")
            // The one of this process may be closed to the account of the server.
            .env("TMPDIR", &base)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            // Ctrl-C at a terminal goes to the whole group: it must not end the watcher first.
            .process_group(0);
        if let Some(account) = account {
            for path in [&base, &base.join("log")] {
                account.own(path).expect("root may give a file away");
            }
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
            name: program.name,
            port: 0,
            base,
            watcher,
        }
    }

    /// Starts the program at a free port, and waits until it answers.
    ///
    /// `prepare` is called before each start, with the port: for a configuration in
    /// [`base`](Self::base). `answers` tells whether this program, and no other that was faster to
    /// take the port, answers there.
    ///
    /// # Panics
    /// If it does not start, or does not answer within a minute.
    pub async fn start<Answered: Future<Output = bool>>(
        &mut self,
        prepare: impl Fn(u16) -> std::io::Result<()>,
        answers: impl Fn(u16) -> Answered,
    ) {
        for _ in 0..PORTS {
            self.port = free_port();
            prepare(self.port).expect("files in the temporary folder");
            self.order_start();
            if self.is_answered(&answers).await.is_ok() {
                return;
            }
        }
        panic!("{} does not start:\n{}", self.name, self.log());
    }

    /// Kills the program with all its processes, as a loss of power would, and waits until they are
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

    /// Starts the program again after [`kill9`](Self::kill9), with its data and at its port, and
    /// waits until it answers.
    ///
    /// # Panics
    /// If it still runs, or does not answer within a minute.
    pub async fn start_again<Answered: Future<Output = bool>>(
        &self,
        answers: impl Fn(u16) -> Answered,
    ) {
        assert!(self.processes().is_empty(), "{} still runs", self.name);
        self.order_start();
        let answered = self.is_answered(&answers).await.is_ok();
        assert!(
            answered,
            "{} does not start again:\n{}",
            self.name,
            self.log()
        );
    }

    /// The port that the program was last started at; 0 before.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What the program has written to its outputs.
    pub fn log(&self) -> String {
        let log = fs::read(self.base.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// The temporary folder, which the data folder is in.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// The data folder, where the program runs.
    pub fn data(&self) -> PathBuf {
        self.base.join("data")
    }

    /// The numbers of the program's processes, the first one's first.
    pub fn process_ids(&self) -> Vec<u32> {
        let processes = self.processes().into_iter();
        processes
            .map(|id| id.as_raw_nonzero().get().unsigned_abs())
            .collect()
    }

    fn order_start(&self) {
        let _ = fs::remove_file(self.running());
        let mut orders = self.watcher.stdin.as_ref().expect("it is piped");
        writeln!(orders, "{}", self.port).expect("the watcher runs");
    }

    /// Waits until the program answers; an error if it ends before.
    async fn is_answered<Answered: Future<Output = bool>>(
        &self,
        answers: &impl Fn(u16) -> Answered,
    ) -> Result<(), Ended> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answered = timeout_at(deadline, answers(self.port)).await;
            let Ok(answered) = answered else {
                panic!("{} does not answer:\n{}", self.name, self.log());
            };
            if answered {
                return Ok(());
            }
            if self.has_ended() {
                return Err(Ended);
            }
            // Nobody tells when a port begins to listen.
            sleep(BETWEEN_LOOKS).await;
        }
    }

    /// Whether the program was started and has ended.
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

    /// All processes whose current folder is the data folder: that is where these programs stay.
    /// PostgreSQL puts each of its processes into a group of its own, so the first one's group would
    /// not have them all.
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

impl Drop for Watched {
    fn drop(&mut self) {
        // Closes the watcher's stdin, too.
        let _ = self.watcher.wait();
    }
}

/// The program ended before it answered.
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
/// program is down between [`kill9`](Watched::kill9) and [`start_again`](Watched::start_again).
fn free_port() -> u16 {
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let mut ports = std::iter::repeat_with(|| rand::random_range(15_000..32_000));
    ports.by_ref().take(1_000).find(free).expect("a free port")
}
