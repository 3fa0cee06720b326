//! The secret that webhooks are signed with: taken from the settings, or made at the first start.

use jobmill_engine::WebhookKey;
use jobmill_engine::chance::Chance;

use super::{StartError, key};
use crate::config::Settings;

/// Where the secret is that the server makes, within the data folder.
const FILE: &str = "webhook-secret";

/// Finds or makes the secret. The data folder is there by now.
pub(super) fn secret(settings: &Settings, chance: &dyn Chance) -> Result<WebhookKey, StartError> {
    if let Some(key) = &settings.webhook_secret {
        return Ok(key.clone());
    }
    let mut random = [0; 32];
    chance.fill(&mut random);
    let path = settings.data.join(FILE);
    let text = key::kept(&path, &WebhookKey::text(random))?;
    WebhookKey::read(text.trim())
        .map_err(|expected| StartError::Key(path, format!("expected {expected}")))
}
