//! Filters in the address bar: read from it, and written back with one thing changed, so that every view of
//! the list has an address that can be kept and sent.

use super::board::{Filter, Order, StreamState};
use serde::Deserialize;
use url::form_urlencoded::Serializer;

/// What the list of mailboxes is asked with. Words that mean nothing are as if they were not there.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    state: String,
    code: String,
    text: String,
    order: String,
    page: String,
}

impl ListQuery {
    /// What it means.
    pub fn filter(&self) -> Filter {
        let text = self.text.trim();
        Filter {
            state: StreamState::from_word(&self.state),
            // An address is never longer (RFC 5321, 4.5.3.1.3); more would only cost the search.
            text: text.chars().take(256).collect(),
            code: Some(self.code.clone()).filter(|code| !code.is_empty()),
            order: Order::from_word(&self.order).unwrap_or_default(),
            page: self.page.parse().ok().filter(|page| *page > 0).unwrap_or(1),
        }
    }
}

/// The address of the first page with this filter; what is as usual is left out.
pub fn address(filter: &Filter) -> String {
    let mut query = Serializer::new(String::new());
    if let Some(state) = filter.state {
        query.append_pair("state", state.word());
    }
    if let Some(code) = &filter.code {
        query.append_pair("code", code);
    }
    if !filter.text.is_empty() {
        query.append_pair("text", &filter.text);
    }
    if filter.order != Order::default() {
        query.append_pair("order", filter.order.word());
    }
    if filter.page > 1 {
        query.append_pair("page", &filter.page.to_string());
    }
    let query = query.finish();
    if query.is_empty() {
        "/".to_owned()
    } else {
        format!("/?{query}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_back_to_its_filter() {
        for filter in [
            Filter {
                page: 1,
                ..Filter::default()
            },
            Filter {
                state: Some(StreamState::Refused),
                text: "a&b=ü@example.com".into(),
                code: Some("crm.user_refused".into()),
                order: Order::Slowest,
                page: 7,
            },
        ] {
            let address = address(&filter);
            let query = address.trim_start_matches("/").trim_start_matches('?').to_owned();
            let read = actix_web::web::Query::<ListQuery>::from_query(&query)
                .unwrap()
                .into_inner();
            assert_eq!(read.filter(), filter, "{address}");
        }
    }

    #[test]
    fn words_that_mean_nothing_are_as_if_they_were_not_there() {
        let read = "state=blue&order=up&page=-4&text=%20%20";
        let read = actix_web::web::Query::<ListQuery>::from_query(read)
            .unwrap()
            .into_inner();
        let plain = Filter {
            page: 1,
            ..Filter::default()
        };
        assert_eq!(read.filter(), plain);
    }
}
