//! Which attachments go into the CRM. Part of a policy; a setting, not content.

use crate::record::kind::RecordKind;
use serde::{Deserialize, Serialize};

/// Attachments. Nothing goes unless a record type is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AttachmentPolicy {
    /// Of which record types: `calendar`, `tasks`, `mail`.
    pub of: Vec<RecordKind>,
    /// The largest that goes, in bytes.
    pub max_bytes: u64,
    /// Types that go, by extension without its dot; empty for all that are not blocked.
    pub allow_types: Vec<String>,
    /// Types that do not go, by extension without its dot. What an attachment's first bytes say counts as well as
    /// its name.
    pub block_types: Vec<String>,
    /// Pictures that the body shows, such as those of a signature.
    pub inline: bool,
    /// Attached items, such as mails that were forwarded as attachments.
    pub items: bool,
    /// Links to files that lie elsewhere, as links.
    pub links: bool,
}

impl Default for AttachmentPolicy {
    fn default() -> Self {
        let dangerous = [
            "bat", "cmd", "com", "cpl", "dll", "exe", "hta", "jar", "js", "jse", "lnk", "msi", "msp", "ps1",
            "reg", "scr", "vbe", "vbs", "wsf",
        ];
        Self {
            of: Vec::new(),
            max_bytes: 25 << 20,
            allow_types: Vec::new(),
            block_types: dangerous.map(str::to_owned).to_vec(),
            inline: false,
            items: true,
            links: true,
        }
    }
}

impl AttachmentPolicy {
    /// Do attachments of this record type go?
    pub fn takes(&self, kind: RecordKind) -> bool {
        // A contact has a picture and nothing else.
        kind != RecordKind::Contacts && self.of.contains(&kind)
    }
}
