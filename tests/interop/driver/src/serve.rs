//! Local services, and what can be ordered of them.

use std::collections::HashMap;
use std::time::Duration;

use healthomics::local::{Fault, LocalService, Pace, Quotas, SeedReadSet};
use healthomics::{Credentials, SequenceStoreId};
use serde_json::{Value, json};

use crate::{CommandResult, number, text};

#[derive(Default)]
pub struct Services {
    running: HashMap<u32, LocalService>,
    started: u32,
}

impl Services {
    pub async fn obey(&mut self, order: &Value) -> CommandResult {
        if text(order, "do")? == "start" {
            return self.start(order).await;
        }
        let number = number(order, "service").ok_or("which service?")?;
        if text(order, "do")? == "stop" {
            drop(self.running.remove(&number));
            return Ok(json!({}));
        }
        obey(self.running.get(&number).ok_or("there is no such service")?, order)
    }

    async fn start(&mut self, order: &Value) -> CommandResult {
        let mut builder = LocalService::builder();
        if let Some(polls) = number(order, "polls") {
            builder = builder.pace(Pace::Polls(polls));
        }
        let mut quotas = Quotas::none();
        if let Some(limit) = number(order, "jobs_at_once") {
            quotas = quotas.jobs_at_once(limit);
        }
        if let Some(limit) = number(order, "requests_per_second") {
            quotas = quotas.requests_per_second(limit);
        }
        let service = builder.quotas(quotas).start().await?;
        let result = json!({
            "service": self.started,
            "endpoint": service.endpoint_url(),
            "region": service.region(),
            "access_key_id": LocalService::ACCESS_KEY_ID,
            "secret_access_key": LocalService::SECRET_ACCESS_KEY,
        });
        self.running.insert(self.started, service);
        self.started += 1;
        Ok(result)
    }
}

fn obey(service: &LocalService, order: &Value) -> CommandResult {
    match text(order, "do")? {
        "create_store" => return Ok(json!({ "store": service.create_sequence_store() })),
        "seed" => return seed(service, order),
        "fail_item" => service.fail_item(text(order, "key")?, text(order, "message")?),
        "fault" => service.queue_fault(text(order, "operation")?, fault(&order["fault"])?),
        "fault_always" => service.fault_always(text(order, "operation")?, fault(&order["fault"])?),
        "clear_faults" => service.clear_faults(),
        "accept" => {
            let token = order["session_token"].as_str().map(str::to_owned);
            let (key, secret) = (text(order, "access_key_id")?, text(order, "secret_access_key")?);
            service.accept_credentials(Credentials::new(key, secret, token, None, "driver"));
        }
        "expire" => service.expire_credentials(text(order, "access_key_id")?),
        "requests" => return Ok(requests(service)),
        "clear_requests" => service.clear_requests(),
        "jobs" => return Ok(jobs(service)),
        other => return Err(format!("{other:?} is not known").into()),
    }
    Ok(json!({}))
}

fn seed(service: &LocalService, order: &Value) -> CommandResult {
    let file_type = text(order, "file_type")?.into();
    let mut seed = match text(order, "status")? {
        "ARCHIVED" => SeedReadSet::archived(file_type),
        _ => SeedReadSet::active(file_type),
    };
    if let Some(subject) = order["subject_id"].as_str() {
        seed = seed.subject_id(subject);
    }
    if let Some(sample) = order["sample_id"].as_str() {
        seed = seed.sample_id(sample);
    }
    if let Some(name) = order["name"].as_str() {
        seed = seed.name(name);
    }
    let store = SequenceStoreId::from(text(order, "store")?);
    Ok(json!({ "read_set": service.seed_read_set(&store, seed) }))
}

fn fault(order: &Value) -> Result<Fault, String> {
    Ok(match text(order, "kind")? {
        "error" => {
            let status = number(order, "status").and_then(|status| status.try_into().ok()).ok_or("which status?")?;
            Fault::error(status, text(order, "code")?, text(order, "message")?)
        }
        "reset_before" => Fault::ResetBefore,
        "reset_after" => Fault::ResetAfter,
        "delay" => Fault::Delay(Duration::from_millis(number(order, "millis").unwrap_or_default().into())),
        "merge" => Fault::merge(order["patch"].to_string()),
        other => return Err(format!("the fault {other:?} is not known")),
    })
}

fn requests(service: &LocalService) -> Value {
    let all = service.requests();
    let values = all.iter().map(|request| {
        json!({
            "operation": request.operation,
            "host": request.header("host"),
            "agent": request.header("user-agent"),
            "status": request.status,
            "applied": request.applied,
        })
    });
    Value::Array(values.collect())
}

fn jobs(service: &LocalService) -> Value {
    let values = service.jobs().into_iter().map(|job| {
        let items = job.items.iter().map(|item| json!({ "key": item.key, "status": item.status }));
        json!({
            "id": job.id,
            "status": job.status,
            "client_token": job.client_token,
            "items": items.collect::<Vec<_>>(),
        })
    });
    Value::Array(values.collect())
}
