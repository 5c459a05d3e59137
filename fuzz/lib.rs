//! What the fuzz targets do. It lies with the tests, which do a little of it at every change, so that it cannot rot.

#[path = "../tests/hostile/differ.rs"]
pub mod differ;
#[path = "../tests/hostile/oracle.rs"]
pub mod oracle;
#[path = "../tests/hostile/readers.rs"]
pub mod readers;
