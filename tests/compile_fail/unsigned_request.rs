// error: module `sign` is private
fn main() {
    let _ = std::any::type_name::<healthomics::sign::SignedRequest>();
}
