//! Calls with this crate.

use harness::{DESTINATION, KEY, REGION, ROLE, SECRET, STORE, Subject, Work, sources};
use healthomics::{Client, Credentials};

#[derive(Clone)]
struct Ours(Client);

impl Subject for Ours {
    fn new(endpoint: &str) -> Self {
        let credentials = Credentials::new(KEY, SECRET, None, None, "versus");
        let mut builder = Client::builder().region(REGION).credentials(credentials);
        // That of the server, which is not among those that are compiled in.
        if let Ok(file) = std::env::var("ROOT_CERTIFICATE") {
            builder = builder.add_root_certificates(std::fs::read(file).expect("a file"));
        }
        // Waits have a rate limiter by default. Without it all of them poll at once.
        if std::env::var_os("RATE_LIMITER").is_none() {
            builder = builder.requests_per_second(None);
        }
        Self(builder.endpoint_url(endpoint).build().expect("a client"))
    }

    fn start(&self) -> Work {
        let call = self.0.start_read_set_export_job().sequence_store_id(STORE).destination(DESTINATION);
        let call = call.role_arn(ROLE).sources(sources()).send();
        Box::pin(async move { assert_eq!(call.await.expect("it starts").id.as_str().len(), 10) })
    }

    fn get(&self, job: &'static str) -> Work {
        let call = self.0.get_read_set_export_job().sequence_store_id(STORE).id(job).send();
        Box::pin(async move { assert_eq!(call.await.expect("it is there").read_sets.len(), 100) })
    }

    fn wait(&self, job: &'static str) -> Option<Work> {
        let wait = self.0.export_job(STORE, job).wait();
        Some(Box::pin(async move { assert!(wait.await.expect("it ends").is_completed()) }))
    }
}

fn main() {
    #[cfg(feature = "chain")]
    if std::env::args().len() == 1 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        println!("{:?}", runtime.block_on(Client::from_default_chain()).map(drop));
        return;
    }
    harness::run::<Ours>();
}
