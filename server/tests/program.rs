//! Has cargo build the program before the tests of the workspace run, which start it.

use std::process::Command;

#[test]
fn the_program_says_its_version() {
    let output = Command::new(env!("CARGO_BIN_EXE_praxis")).arg("--version").output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), concat!("praxis ", env!("CARGO_PKG_VERSION")));
}
