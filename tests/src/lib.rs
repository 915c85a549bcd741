//! What the tools and the tests share.

/// What HTTP clients need to be made, though all here speak without TLS. Once is enough, and more
/// does no harm.
pub fn tls() {
    let _installed_before = rustls::crypto::ring::default_provider().install_default();
}
