//! What every shipped crate promises about its own code.

use std::fs;
use std::path::Path;

#[test]
fn every_crate_forbids_unsafe_code() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates");
    let mut seen = 0;
    for entry in fs::read_dir(crates).unwrap() {
        let src = entry.unwrap().path().join("src");
        let roots = ["lib.rs", "main.rs"].map(|name| src.join(name));
        for root in roots.iter().filter(|root| root.exists()) {
            let text = fs::read_to_string(root).unwrap();
            assert!(
                text.contains("#![forbid(unsafe_code)]"),
                "{}",
                root.display()
            );
            seen += 1;
        }
    }
    assert!(seen >= 6, "only {seen} crates were looked at");
}
