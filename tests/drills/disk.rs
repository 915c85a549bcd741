//! The disk is full: nothing is acknowledged that is not there, reading goes on, and with room
//! again everything goes on by itself.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use reqwest::multipart::{Form, Part};
use serde_json::json;

use super::rig::{Rig, drill};
use crate::support::Answer;
use crate::support::engines::is_root;
use crate::support::program::Folder;

/// A small disk of its own, mounted while it lives.
struct Disk(PathBuf);

impl Disk {
    fn mount(folder: &Path, megabytes: usize) -> Option<Self> {
        let size = format!("size={megabytes}m");
        let mounted = is_root()
            && Command::new("mount")
                .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
                .arg(folder)
                .status()
                .is_ok_and(|status| status.success());
        if !mounted {
            crate::support::not_run("a drill with a full disk (only root may mount one)");
            return None;
        }
        Some(Self(folder.to_owned()))
    }

    /// Fills what is left but so many kilobytes.
    fn fill(&self, but: usize) {
        let path = self.0.join("ballast");
        let _before = std::fs::remove_file(&path);
        let mut ballast = std::fs::File::create(path).unwrap();
        let block = [7; 4096];
        while std::io::Write::write_all(&mut ballast, &block).is_ok() {}
        let length = ballast.metadata().unwrap().len();
        ballast.set_len(length.saturating_sub(but as u64 * 1024)).unwrap();
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _unmounted = Command::new("umount").arg("--lazy").arg(&self.0).status();
        let _removed = std::fs::remove_dir(&self.0);
    }
}

/// A file that takes room: pixels that no compression makes smaller.
fn picture() -> Vec<u8> {
    let mut state = 1u32;
    let image = image::RgbImage::from_fn(400, 400, |_, _| {
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        image::Rgb([next(), next(), next()])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn a_full_disk_loses_nothing_that_was_acknowledged() {
    drill(async {
        let folder = Folder::new();
        let Some(disk) = Disk::mount(folder.path(), 24) else { return };
        let mut rig = Rig::start(1, &[], Some(folder)).await;
        rig.written(100).await;
        let upload = async |rig: &Rig| -> Answer {
            let part = Part::bytes(picture()).file_name("noise.png").mime_str("image/png").unwrap();
            rig.ada.send(rig.ada.request("POST", "/api/v1/files").multipart(Form::new().part("file", part))).await
        };
        assert_eq!(upload(&rig).await.status, 201, "with room it goes");

        // Room for rows, none for files.
        disk.fill(200);
        let refused = upload(&rig).await;
        assert_eq!(refused.status, 503, "{}", refused.text);
        assert!(!refused.header("retry-after").is_empty() && !refused.text.contains("No space"), "{}", refused.text);

        // No room for rows either.
        disk.fill(0);
        let topic = json!({"title": "Is there room?", "body": "x".repeat(50_000), "kind": "question", "tags": []});
        let refused = loop {
            let answer = rig.ada.post("/api/v1/spaces/drill/topics", &topic).await;
            if answer.status != 201 {
                break answer;
            }
        };
        assert_eq!(refused.status, 503, "{}", refused.text);
        assert!(!refused.header("retry-after").is_empty() && !refused.text.contains("disk"), "{}", refused.text);
        assert_eq!(rig.ada.get(&format!("/api/v1/rooms/{}/messages", rig.room)).await.status, 200, "reading goes on");
        assert_eq!(rig.ada.page("/s/drill").await.status, 200);
        assert_eq!(rig.ada.get("/healthz").await.status, 200);

        disk.make_room();
        let since = Instant::now();
        rig.full_service("a full disk has room again", since, false).await;
        assert_eq!(rig.ada.post("/api/v1/spaces/drill/topics", &topic).await.status, 201);
        assert_eq!(upload(&rig).await.status, 201);
        rig.written(50).await;
        rig.compare().await;
        drop(disk);
    });
}
