//! Rebuilds when a migration is added: the macro that embeds them sees only the files that it read before.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
