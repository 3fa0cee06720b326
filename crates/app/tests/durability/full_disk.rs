//! A full disk: writes are refused with a clear text, reads go on, nothing is lost.

use std::path::Path;
use std::process::Command;

use super::server::{Server, member};

/// A file system of a few megabytes, unmounted when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// Makes one where the machine allows it; says so where not, because the test is skipped.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().ok()?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=6m", "tmpfs"])
            .arg(folder.path())
            .output()
            .is_ok_and(|out| out.status.success());
        if !mounted {
            eprintln!("skipped: a small file system cannot be mounted here");
        }
        mounted.then(|| Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // It goes with its namespace if this fails.
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_refuses_writes_and_keeps_what_was_acknowledged() {
    let Some(disk) = SmallDisk::mount() else { return };
    let server = Server::start(&disk.path().join("data"));
    let mut client = server.connect();
    let filler = "x".repeat(100_000);
    let body = format!(r#"{{"flow":"expand_reduce_flow","input":{{"a":"{filler}","b":"2"}}}}"#);
    let mut acknowledged = Vec::new();
    let refused = loop {
        let (status, answer) = client.post("/jobs", "", &body).unwrap();
        if status != 202 {
            break (status, answer);
        }
        acknowledged.push(member(&answer, "id").unwrap());
        assert!(acknowledged.len() < 1_000, "six megabytes never fill up");
    };
    assert_eq!(refused.0, 503, "{}", refused.1);
    assert!(refused.1.contains("full"), "{}", refused.1);
    for id in &acknowledged {
        let (status, answer) = client.get(&format!("/jobs/{id}")).unwrap();
        assert_eq!(status, 200, "{answer}");
    }
    grow(disk.path());
    let mut again = server.connect();
    let (status, answer) = again.post("/jobs", "", &body).unwrap();
    assert_eq!(status, 202, "once there is room: {answer}");
    for id in &acknowledged {
        let (status, answer) = again.get(&format!("/jobs/{id}/results?wait=60s")).unwrap();
        assert_eq!((status, member(&answer, "status").as_deref()), (200, Some("completed")));
    }
}

fn grow(path: &Path) {
    let mut mount = Command::new("mount");
    mount.args(["-o", "remount,size=64m"]).arg(path);
    assert!(mount.status().unwrap().success());
}
