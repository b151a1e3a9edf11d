use std::fmt::Write;
use std::path::Path;

use super::*;

/// What databases have on record of a migration, and refuse to go on without.
type OnRecord = (i64, &'static str, &'static str);

/// As `sqlx::migrate!` recorded them. A migration that has been released is not edited: another one is added.
const POSTGRES: [OnRecord; 1] = [(
    1,
    "posts",
    "c7be75a69fd4bb6fe16031ee987baf19d10f34ef133e72501b17e0b1bbd7af6dd5ada9972a812c137d33f8b31062948c",
)];
const SQLITE: [OnRecord; 1] = [(
    1,
    "posts",
    "d2b7842d86a9d31691dc58f11264f7eaff4f81a19c92c7dddd1338b302f3c7f611a2cbdf8ff4a09181bfc8f75fcb7908",
)];

#[test]
fn databases_that_were_migrated_before_stay_valid() {
    for (migrator, on_record) in [(postgres(), POSTGRES), (sqlite(), SQLITE)] {
        let embedded: Vec<_> = migrator
            .iter()
            .map(|it| (it.version, &*it.description, hexadecimal(&it.checksum)))
            .collect();
        let on_record = on_record
            .map(|(version, description, checksum)| (version, description, checksum.to_owned()));
        assert_eq!(embedded, on_record);
    }
}

/// What the macro would have found in the folder, sqlx finds there now.
#[tokio::test]
async fn every_file_is_compiled_in() {
    for (name, embedded) in [("postgres", postgres()), ("sqlite", sqlite())] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("migrations")
            .join(name);
        let found = Migrator::new(folder).await.unwrap();
        let facts = |migrator: &Migrator| -> Vec<_> {
            migrator
                .iter()
                .map(|it| {
                    (
                        it.version,
                        it.description.clone(),
                        it.migration_type,
                        it.sql.as_str().to_owned(),
                        it.checksum.clone(),
                        it.no_tx,
                    )
                })
                .collect()
        };
        assert_eq!(facts(&embedded), facts(&found), "{name}");
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
