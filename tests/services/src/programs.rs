//! A server's programs on this machine.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::Product;

/// A server's two programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Programs {
    /// Makes an empty data folder.
    pub(crate) install: PathBuf,
    /// Serves it.
    pub(crate) serve: PathBuf,
}

impl Programs {
    /// Looks in the search path and where Debian has them otherwise.
    pub(crate) fn find(product: Product) -> Option<Self> {
        Self::in_folders(product, &folders())
    }

    /// Both from one folder where one has both, so that two releases do not mix.
    fn in_folders(product: Product, folders: &[PathBuf]) -> Option<Self> {
        let (install, serve) = product.programs();
        let find = |name: &str, folders: &[PathBuf]| {
            let paths = folders.iter().map(|folder| folder.join(name));
            paths.into_iter().find(|path| path.is_file())
        };
        let together = folders.chunks(1).find_map(|folder| {
            Some(Self {
                install: find(install, folder)?,
                serve: find(serve, folder)?,
            })
        });
        together.or_else(|| {
            Some(Self {
                install: find(install, folders)?,
                serve: find(serve, folders)?,
            })
        })
    }
}

/// A server's program on this machine: in the search path, or where Debian has it otherwise.
pub fn program(name: &str) -> Option<PathBuf> {
    let mut paths = folders().into_iter().map(|folder| folder.join(name));
    paths.find(|path| path.is_file())
}

fn folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = env::var_os("PATH")
        .map(|path| env::split_paths(&path).collect())
        .unwrap_or_default();
    folders.extend(postgres_releases(Path::new("/usr/lib/postgresql")));
    folders.extend(["/usr/bin", "/usr/sbin"].map(PathBuf::from));
    folders
}

/// The `bin` folders of the installed releases, newest first.
fn postgres_releases(root: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let mut releases: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let release = entry.file_name().to_str()?.parse().ok()?;
            Some((release, entry.path().join("bin")))
        })
        .collect();
    releases.sort_unstable_by(|a, b| b.cmp(a));
    releases.into_iter().map(|(_, bin)| bin).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_release_comes_first_by_number() {
        let root = tempfile::tempdir().unwrap();
        for name in ["9", "15", "17", "common"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        let releases = ["17", "15", "9"].map(|release| root.path().join(release).join("bin"));
        assert_eq!(postgres_releases(root.path()), releases);
        assert_eq!(
            postgres_releases(&root.path().join("absent")),
            Vec::<PathBuf>::new()
        );
    }

    #[test]
    fn both_programs_are_needed_and_from_one_folder_where_possible() {
        let root = tempfile::tempdir().unwrap();
        let folders = ["a", "b"].map(|name| root.path().join(name));
        let touch = |folder: &PathBuf, name: &str| {
            fs::create_dir_all(folder).unwrap();
            fs::write(folder.join(name), "").unwrap();
            Programs::in_folders(Product::Postgres, &folders)
        };
        assert_eq!(touch(&folders[0], "postgres"), None);
        let apart = touch(&folders[1], "initdb").unwrap();
        assert_eq!(apart.serve, folders[0].join("postgres"));
        let together = touch(&folders[1], "postgres").unwrap();
        assert_eq!(together.serve, folders[1].join("postgres"));
    }
}
