//! The root certificates of the system, which are read by the first TLS handshake: reading them takes milliseconds, and a
//! client may never be used.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use rustls_platform_verifier::Verifier;

/// Trusts what the system trusts, and added certificates.
#[derive(Debug)]
pub(super) struct SystemRoots {
    provider: Arc<CryptoProvider>,
    added: Arc<[CertificateDer<'static>]>,
    verifier: OnceLock<Result<Verifier, Error>>,
}

impl SystemRoots {
    pub(super) fn new(provider: Arc<CryptoProvider>, added: Arc<[CertificateDer<'static>]>) -> Result<Self, Error> {
        if cfg!(target_os = "android") && !added.is_empty() {
            let reason =
                "on Android, root certificates can't be added to those of the system: use only_root_certificates()";
            return Err(Error::General(reason.to_owned()));
        }
        Ok(Self { provider, added, verifier: OnceLock::new() })
    }

    /// Without any root certificates, no certificate can be trusted.
    fn verifier(&self) -> Result<&Verifier, Error> {
        let read = self.verifier.get_or_init(|| self.read());
        read.as_ref().map_err(|error| CertificateError::Other(OtherError(Arc::new(error.clone()))).into())
    }

    #[cfg(not(target_os = "android"))]
    fn read(&self) -> Result<Verifier, Error> {
        Verifier::new_with_extra_roots(self.added.iter().cloned(), Arc::clone(&self.provider))
    }

    #[cfg(target_os = "android")]
    fn read(&self) -> Result<Verifier, Error> {
        Verifier::new(Arc::clone(&self.provider))
    }
}

impl ServerCertVerifier for SystemRoots {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verifier()?.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
