//! `GET /services/data/` ("Versions", REST API guide): which API versions the org speaks. Needs no token and
//! counts as no call.

use serde::Deserialize;

#[derive(Deserialize)]
struct Version {
    version: String,
    #[serde(default)]
    label: String,
}

/// A version of the API and the release it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::crm::salesforce) struct ApiVersion {
    /// Such as `62.0`.
    pub(in crate::crm::salesforce) number: String,
    /// Such as `Winter '25`.
    pub(in crate::crm::salesforce) label: String,
}

/// The wanted version, or the org's newest where the org is older. `None` where the body is no list of them.
pub(in crate::crm::salesforce) fn choose(body: &[u8], wanted: &str) -> Option<ApiVersion> {
    let versions: Vec<Version> = serde_json::from_slice(body).ok()?;
    let mut known: Vec<(u32, Version)> = versions
        .into_iter()
        .filter_map(|version| Some((major(&version.version)?, version)))
        .collect();
    known.sort_by_key(|(major, _)| *major);
    let most = major(wanted)?;
    let chosen = known.iter().rposition(|(major, _)| *major <= most).unwrap_or(0);
    let (_, Version { version, label }) = known.into_iter().nth(chosen)?;
    Some(ApiVersion {
        number: version,
        label,
    })
}

/// The whole number of a version; there are no others than `.0`.
fn major(version: &str) -> Option<u32> {
    version.split('.').next()?.trim_start_matches('v').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"[{"label":"Summer '24","url":"/services/data/v61.0","version":"61.0"},
        {"label":"Winter '25","url":"/services/data/v62.0","version":"62.0"},
        {"label":"Winter '27","url":"/services/data/v68.0","version":"68.0"}]"#;

    #[test]
    fn the_wanted_version_is_taken_where_the_org_has_it_and_its_newest_where_it_is_older() {
        let chosen = |wanted| choose(BODY, wanted).map(|version| version.number);
        assert_eq!(chosen("62.0").as_deref(), Some("62.0"));
        assert_eq!(chosen("90.0").as_deref(), Some("68.0"));
        assert_eq!(choose(b"<html>", "62.0"), None);
    }
}
