// Hands the version of rskafka in Cargo.lock to the program.
fn main() {
    println!("cargo:rerun-if-changed=Cargo.lock");
    let lock = std::fs::read_to_string("Cargo.lock").unwrap();
    let entry = lock.split("[[package]]").find(|entry| entry.contains("name = \"rskafka\"\n")).unwrap();
    let version = entry.lines().find_map(|line| line.strip_prefix("version = ")).unwrap();
    println!("cargo:rustc-env=RSKAFKA_VERSION={}", version.trim_matches('"'));
}
