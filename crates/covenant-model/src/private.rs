//! Files and folders that only their owner may read: they hold what a target says, and keys.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Creates an empty file, in place of one of this name.
pub fn create(path: &Path) -> io::Result<File> {
    let file = open(path, OpenOptions::new().read(true).write(true).create(true).truncate(true))?;
    Ok(file)
}

/// Creates a file if there is none, and keeps its content.
pub fn keep(path: &Path) -> io::Result<File> {
    open(path, OpenOptions::new().read(true).write(true).create(true).truncate(false))
}

fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    let file = options.open(path)?;
    make(&file)?;
    Ok(file)
}

/// Returns those of a folder and the folders above it that do not exist, the innermost first.
pub fn missing_folders(path: &Path) -> Vec<PathBuf> {
    let missing = path.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists());
    missing.map(Path::to_owned).collect()
}

/// Creates a folder and those above it that do not exist.
pub fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes a file readable by its owner only.
#[cfg(unix)]
pub fn make(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    // A device or a pipe stays as it is.
    if file.metadata()?.is_file() {
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// Makes a file readable by its owner only. A system without modes keeps it as it is.
#[cfg(not(unix))]
pub fn make(_: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn no_one_else_reads_what_is_created() {
        let folder = tempfile::tempdir().expect("a folder");
        let mode = |path: &Path| std::fs::metadata(path).expect("it exists").permissions().mode() & 0o777;
        let inner = folder.path().join("a/b");
        create_folder(&inner).expect("created");
        assert_eq!((mode(&inner), mode(&folder.path().join("a"))), (0o700, 0o700));
        let path = inner.join("file");
        std::fs::write(&path, "old").expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("set");
        drop(keep(&path).expect("kept"));
        assert_eq!((mode(&path), std::fs::read_to_string(&path).expect("it reads").as_str()), (0o600, "old"));
        drop(create(&path).expect("created"));
        assert_eq!((mode(&path), std::fs::read(&path).expect("it reads").len()), (0o600, 0));
    }
}
