//! Countries and states that a CRM keeps as a list of its own, where others take any text.
//!
//! A country that the list does not have cannot be written there, and would come back as if somebody had erased
//! it. So both sides are compared by the list's own names, and what it does not have stays on the side that has
//! it.

use std::collections::HashMap;

/// A CRM's list. Names and codes are found whatever their case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    countries: HashMap<String, Place>,
    states: HashMap<(String, String), Place>,
}

/// An entry of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The CRM's number of it.
    pub id: i64,
    /// The CRM's name of it.
    pub name: String,
}

impl Places {
    /// Adds a country with its two-letter code.
    pub fn add_country(&mut self, id: i64, name: &str, code: Option<&str>) {
        let place = || Place {
            id,
            name: name.to_owned(),
        };
        if let Some(code) = code {
            self.countries.entry(key(code)).or_insert_with(place);
        }
        self.countries.insert(key(name), place());
    }

    /// Adds a state of a country with its code.
    pub fn add_state(&mut self, country: &str, id: i64, name: &str, code: Option<&str>) {
        let place = || Place {
            id,
            name: name.to_owned(),
        };
        if let Some(code) = code {
            self.states.entry((key(country), key(code))).or_insert_with(place);
        }
        self.states.insert((key(country), key(name)), place());
    }

    /// The country that a text names.
    pub fn country(&self, text: &str) -> Option<&Place> {
        self.countries.get(&key(text))
    }

    /// The state of a country, named as the list names it, that a text names.
    pub fn state(&self, country: &str, text: &str) -> Option<&Place> {
        self.states.get(&(key(country), key(text)))
    }
}

fn key(text: &str) -> String {
    text.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_by_name_and_code_whatever_the_case() {
        let mut places = Places::default();
        places.add_country(57, "Germany", Some("DE"));
        places.add_state("Germany", 9, "Bavaria", Some("BY"));
        assert_eq!(places.country(" germany ").map(|place| place.id), Some(57));
        assert_eq!(
            places.country("de").map(|place| place.name.as_str()),
            Some("Germany")
        );
        assert_eq!(places.state("Germany", "by").map(|place| place.id), Some(9));
        assert_eq!(places.state("France", "by"), None);
        assert_eq!(places.country("Atlantis"), None);
    }
}
