//! Where a backup is written: never over what is the hub's, and with nothing left beside it.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use crate::support::moving::{admin, done, number, refused, sqlite};
use crate::support::program::{Folder, Served, run};

/// Names in a folder, without what SQLite puts there while somebody reads.
fn names(folder: &Path) -> BTreeSet<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm")).collect()
}

async fn members(database: &Path) -> i64 {
    let db = sqlite(database).await;
    let count = number(&db, "SELECT count(*) FROM member").await;
    db.close().await.unwrap();
    count
}

#[tokio::test]
async fn a_backup_never_takes_the_place_of_what_is_the_hubs() {
    let (one, two) = (Folder::new(), Folder::new());
    admin(one.path(), "ada");
    let data = one.path().join("data");
    let before = names(&data);
    // With ".db" at its end this is the database.
    done(one.path(), &["backup", "data/praxis"], &[]);
    assert_eq!(members(&data.join("praxis.db")).await, 1);
    let mut after = names(&data);
    assert!(after.remove("praxis"));
    assert_eq!(after, before, "nothing else is new, and nothing is gone");
    let kept = data.join("praxis").display().to_string();
    done(two.path(), &["restore", &kept], &[]);
    assert_eq!(members(&two.path().join("data/praxis.db")).await, 1);
    // Neither over the database nor among what belongs to it.
    refused(&run(one.path(), &["backup", "data/praxis.db"], &[]), "choose another name");
    std::fs::create_dir_all(data.join("uploads")).unwrap();
    std::fs::create_dir_all(data.join("search")).unwrap();
    for to in ["data/praxis.db-journal", "data/../data/praxis.db-journal", "data/uploads/hub.praxis", "data/search/hub"]
    {
        for command in ["backup", "export"] {
            refused(&run(one.path(), &[command, to], &[]), "a file of the hub itself");
        }
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(data.join("uploads"), one.path().join("elsewhere")).unwrap();
        refused(&run(one.path(), &["backup", "elsewhere/hub.praxis"], &[]), "a file of the hub itself");
    }
    assert_eq!(names(&data.join("uploads")), BTreeSet::new());
    assert_eq!(members(&data.join("praxis.db")).await, 1);
}

#[test]
fn what_a_killed_backup_left_goes_with_a_later_one() {
    let one = Folder::new();
    admin(one.path(), "ada");
    let backups = one.path().join("backups");
    std::fs::create_dir(&backups).unwrap();
    let long_ago = UNIX_EPOCH + Duration::from_hours(24 * 365 * 50);
    let made = |name: &str, old: bool| {
        let file = std::fs::File::create(backups.join(name)).unwrap();
        if old {
            file.set_modified(long_ago).unwrap();
        }
    };
    made("monday.praxis-part-0123456789abcdef", true);
    made("monday.praxis-part-0123456789abcdef-wal", true);
    // Of a run that may still be at it, and of somebody else.
    made("tuesday.praxis-part-0123456789abcdef", false);
    made("monday.praxis", true);
    made("monday.praxis-part-1", true);
    done(one.path(), &["backup", "backups/wednesday.praxis"], &[]);
    let left: Vec<String> = names(&backups).into_iter().collect();
    let kept = ["monday.praxis", "monday.praxis-part-1", "tuesday.praxis-part-0123456789abcdef", "wednesday.praxis"];
    assert_eq!(left, kept);
    assert!(!backups.join("monday.praxis-part-0123456789abcdef-wal").exists());
}

#[tokio::test]
async fn a_database_elsewhere_is_locked_where_it_lies() {
    let one = Folder::new();
    let url = format!("sqlite://{}", one.path().join("shared.db").display());
    let here = [("DATABASE_URL", url.as_str()), ("RATE_LIMIT", "off")];
    let served = Served::start(one.path(), &here);
    done(one.path(), &["backup", "hub.praxis"], &here);
    // Another data directory with the same database.
    let there = [("DATABASE_URL", url.as_str()), ("DATA_DIR", "elsewhere")];
    refused(&run(one.path(), &["restore", "hub.praxis", "--replace"], &there), "stop it first");
    assert!(served.end("TERM").await.success());
    done(one.path(), &["restore", "hub.praxis", "--replace"], &there);
}
