//! Calls with the bare client.

fn main() {
    harness::run::<sketch::Sketch>();
}
