//! What kind of file system a folder is on, where the system tells.
//!
//! SQLite's write-ahead log needs memory that all its users share and locks that hold, and a
//! network file system gives neither: the data would be lost sooner or later.

use std::fs;
use std::path::Path;

/// File systems on which a write-ahead log is not safe.
const NETWORKS: [&str; 8] = ["nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "fuse.sshfs"];

/// The kind of the network file system that a folder is on, if it is on one.
pub(super) fn network(folder: &Path) -> Option<String> {
    let folder = fs::canonicalize(folder).ok()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    kind(&mounts, &folder).filter(|kind| NETWORKS.contains(kind)).map(str::to_owned)
}

/// The kind of the innermost mount that a folder is in. The format is that of proc(5): the fifth
/// field is the place, and the kind follows a field that is a single dash.
fn kind<'a>(mounts: &'a str, folder: &Path) -> Option<&'a str> {
    let parsed = mounts.lines().filter_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        let place = left.split(' ').nth(4)?.replace("\\040", " ");
        Some((place, right.split(' ').next()?))
    });
    let around = parsed.filter(|(place, _)| folder.starts_with(place));
    // Of two mounts on one place the later hides the earlier.
    around.max_by_key(|(place, _)| place.len()).map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_and_latest_mount_counts() {
        let mounts = "\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:40 / /data rw - nfs4 host:/export rw
31 30 0:41 / /data/fast\\040disk rw master:1 - xfs /dev/vdb rw
32 22 0:42 / /srv rw - ext4 /dev/vdc rw
33 32 0:43 / /srv rw - cifs //host/share rw";
        for (folder, expected) in [
            ("/home/me", "ext4"),
            ("/data/jobs", "nfs4"),
            ("/data/fast disk/jobs", "xfs"),
            ("/database", "ext4"),
            ("/srv", "cifs"),
        ] {
            assert_eq!(kind(mounts, Path::new(folder)), Some(expected), "{folder}");
        }
    }

    #[test]
    fn a_temporary_folder_is_not_on_a_network() {
        assert_eq!(network(tempfile::tempdir().unwrap().path()), None);
    }
}
