//! The account that a server runs under.

use std::process::Command;
use std::{io, os::unix::fs::chown, os::unix::process::CommandExt as _, path::Path};

/// A user other than root, and their group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account {
    user: u32,
    group: u32,
}

impl Account {
    /// The account to change to; `None` where this process is not root, and the servers run as it
    /// does.
    pub(crate) fn other_than_root(user: &str) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let account = [user, "nobody"].into_iter().find_map(Self::named);
        Some(account.expect("a user to run a server as: databases refuse to run as root"))
    }

    fn named(name: &str) -> Option<Self> {
        Some(Self {
            user: id("-u", name)?,
            group: id("-g", name)?,
        })
    }

    /// Gives a file or folder to this account.
    pub(crate) fn own(self, path: &Path) -> io::Result<()> {
        chown(path, Some(self.user), Some(self.group))
    }

    /// Lets a program run under this account.
    pub(crate) fn run(self, command: &mut Command) {
        command.uid(self.user).gid(self.group);
    }
}

fn id(which: &str, name: &str) -> Option<u32> {
    let output = Command::new("id").args([which, name]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
