//! What stands around every page.

use crate::web::assets;
use crate::web::board::words;
use actix_web::HttpResponse;
use actix_web::http::header::ContentType;
use askama::Template;
use chrono::{DateTime, Utc};

/// The head of a page.
#[derive(Debug)]
pub struct Head {
    /// The window's title.
    pub title: String,
    /// Which entry of the navigation is this page; none for pages that need no session.
    pub section: Option<Section>,
    /// The style's address.
    pub style: String,
    /// The script's address.
    pub script: String,
    /// The mark's address.
    pub mark: String,
    /// When this was read, exactly and for machines.
    pub as_of: Option<Moment>,
}

/// An entry of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// The first page and the mailboxes behind it.
    Mailboxes,
    /// What failed.
    Failures,
}

impl Section {
    /// How the templates call it.
    fn name(self) -> &'static str {
        match self {
            Self::Mailboxes => "mailboxes",
            Self::Failures => "failures",
        }
    }
}

impl Head {
    /// Of a page that needs no session.
    pub fn outside(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            section: None,
            style: assets::STYLE.path(),
            script: assets::SCRIPT.path(),
            mark: assets::MARK.path(),
            as_of: None,
        }
    }

    /// Of a page for viewers.
    pub fn inside(title: &str, section: Section, now: DateTime<Utc>) -> Self {
        Self {
            section: Some(section),
            as_of: Some(Moment::new(now, now)),
            ..Self::outside(title)
        }
    }

    /// True for the entry of this name.
    pub fn is(&self, name: &str) -> bool {
        self.section.is_some_and(|section| section.name() == name)
    }
}

/// A time, as people read it and exactly.
#[derive(Debug, Clone)]
pub struct Moment {
    /// `12 s ago`.
    pub said: String,
    /// With its zone, for the title.
    pub exact: String,
    /// RFC 3339, for machines.
    pub machine: String,
}

impl Moment {
    /// `at`, seen from `now`.
    pub fn new(at: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        Self {
            said: words::when(at, now),
            exact: words::exact(at),
            machine: at.to_rfc3339(),
        }
    }
}

/// A filled template as an answer.
///
/// # Errors
/// The template could not be filled.
pub fn page(template: &impl Template) -> Result<HttpResponse, askama::Error> {
    Ok(HttpResponse::Ok()
        .content_type(ContentType::html())
        .body(template.render()?))
}
