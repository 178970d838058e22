//! Style, script and mark, compiled in. Each is served under a name with the hash of its content, so a browser
//! may keep it for ever and still gets a new one with a new version.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use ring::digest::{SHA256, digest};
use std::sync::LazyLock;

/// A file with its address.
#[derive(Debug)]
pub struct Asset {
    /// The last part of its address: `console.1a2b3c4d5e6f.css`.
    pub name: String,
    kind: &'static str,
    content: &'static str,
}

impl Asset {
    /// Its address.
    pub fn path(&self) -> String {
        format!("/assets/{}", self.name)
    }

    fn new(stem: &str, ending: &str, kind: &'static str, content: &'static str) -> Self {
        let hash: String = digest(&SHA256, content.as_bytes())
            .as_ref()
            .iter()
            .take(6)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            name: format!("{stem}.{hash}.{ending}"),
            kind,
            content,
        }
    }
}

/// The style.
pub static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "console",
        "css",
        "text/css; charset=utf-8",
        concat!(
            include_str!("assets/tokens.css"),
            include_str!("assets/console.css")
        ),
    )
});

/// The script.
pub static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "console",
        "js",
        "text/javascript; charset=utf-8",
        include_str!("assets/console.js"),
    )
});

/// The mark.
pub static MARK: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("mark", "svg", "image/svg+xml", include_str!("assets/mark.svg")));

impl Asset {
    /// The file of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        [&STYLE, &SCRIPT, &MARK]
            .into_iter()
            .map(|asset| &**asset)
            .find(|asset| asset.name == name)
    }

    /// Its content as an answer that may be kept for ever.
    pub fn answer(&self) -> HttpResponse {
        HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, self.kind))
            .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
            .body(self.content)
    }
}
