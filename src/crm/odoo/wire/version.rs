//! `/web/webclient/version_info`: which Odoo it is. Needs no key; every version from 8 on answers it.

use serde::Deserialize;
use serde_json::Value;

/// Below the server's root.
pub(in crate::crm::odoo) const PATH: &str = "web/webclient/version_info";

/// A JSON-RPC call without parameters.
pub(in crate::crm::odoo) const BODY: &str = r#"{"jsonrpc":"2.0","method":"call","params":{}}"#;

/// Which Odoo it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::crm::odoo) struct Version {
    /// 19 of 19.0.
    pub(in crate::crm::odoo) major: u32,
    /// For a person, such as `19.0`.
    pub(in crate::crm::odoo) label: String,
}

#[derive(Deserialize)]
struct Answer {
    result: Info,
}

#[derive(Deserialize)]
struct Info {
    server_serie: String,
    server_version_info: Vec<Value>,
}

/// Reads the answer. The major version of a hosted Odoo reads `saas~18`.
pub(in crate::crm::odoo) fn parse(body: &[u8]) -> Option<Version> {
    let info = serde_json::from_slice::<Answer>(body).ok()?.result;
    let major = match info.server_version_info.first()? {
        Value::Number(number) => u32::try_from(number.as_u64()?).ok()?,
        Value::String(text) => text.rsplit('~').next()?.parse().ok()?,
        _ => return None,
    };
    let is_label = info.server_serie.len() <= 20
        && info
            .server_serie
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '~' | '-' | '+'));
    Some(Version {
        major,
        label: if is_label {
            info.server_serie
        } else {
            major.to_string()
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_and_hosted_versions_are_read() {
        let answer = |info: &str, serie: &str| {
            let body = format!(
                r#"{{"jsonrpc":"2.0","id":null,"result":{{"server_version":"x","server_version_info":[{info},0,0,"final",0,""],"server_serie":"{serie}","protocol_version":1}}}}"#
            );
            parse(body.as_bytes()).map(|version| version.major)
        };
        assert_eq!(answer("16", "16.0"), Some(16));
        assert_eq!(answer(r#""saas~18""#, "saas~18.3"), Some(18));
        assert_eq!(parse(b"<html>"), None);
    }
}
