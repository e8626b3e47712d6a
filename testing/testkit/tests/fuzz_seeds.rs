//! Runs the seeds of the fuzz targets, so that what a fuzzer once reached stays right on every
//! compiler and without a fuzzer.

use std::fs;
use std::path::Path;

use waxwing_testkit::fuzz::TARGETS;

#[test]
fn every_seed_passes() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
    for (target, run) in TARGETS {
        let mut count = 0;
        for entry in fs::read_dir(seeds.join(target)).unwrap() {
            let path = entry.unwrap().path();
            eprintln!("{}", path.display());
            run(&fs::read(path).unwrap());
            count += 1;
        }
        assert!(count > 5, "{target} has seeds");
    }
}
