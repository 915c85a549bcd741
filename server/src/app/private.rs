//! Folders and files that nobody but the hub's own user can open.
//!
//! Only what is made here gets these rights: a folder that an operator made keeps theirs.

use std::io;
use std::path::Path;

/// Makes a folder, with those above it that are missing, each 0700.
pub fn make_dir(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(path)
}

/// Makes an empty file, 0600, and opens it; one that is there is an error.
pub fn make_new(path: &Path) -> io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

/// Makes an empty file, 0600; one that is there stays as it is.
pub fn make_file(path: &Path) -> io::Result<()> {
    write_new(path, &[])
}

/// Writes a new file, 0600; one that is there stays as it is.
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write as _;
    match make_new(path) {
        Ok(_) if bytes.is_empty() => Ok(()),
        Ok(mut file) => {
            file.write_all(bytes)?;
            file.sync_all()
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Takes a file that another library has just made from everybody else.
pub fn close_file(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    }
    #[cfg(not(unix))]
    let _no_such_rights = path;
    Ok(())
}
