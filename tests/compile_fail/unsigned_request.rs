// error: module `protocol` is private
fn main() {
    let _ = std::any::type_name::<healthomics::protocol::sigv4::SignedRequest>();
}
