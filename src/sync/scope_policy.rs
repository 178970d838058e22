//! The part of a policy that says which items take part by what their owner marked them with and where they lie, and
//! what becomes of two that are linked when one of them takes part no more.

use crate::foundation::content::Content;
use crate::mailbox::folders::{FolderChoice, ItemFolder};
use serde::{Deserialize, Serialize};

/// What becomes of two that are linked when one of them takes part no more: because the policy changed, its owner gave it
/// another category or moved it out of the window. That time goes by is no reason: what grows older than the window stays
/// as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutOfScope {
    /// Both stay, linked; nothing is carried over until it takes part again.
    #[default]
    Keep,
    /// Both stay and go their own ways.
    Unlink,
    /// The copy that we made is removed, as a deletion that passes the guard. What people made stays, linked no more.
    Remove,
}

/// Which items take part, by their categories in any case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryRules {
    /// Where it is not empty: only items with one of these, and what came from the CRM.
    #[serde(default)]
    pub allow: Vec<String>,
    /// No item with one of these.
    #[serde(default)]
    pub block: Vec<String>,
}

impl CategoryRules {
    /// True where an item with these categories does not take part. `copy` says that we made it of a record: nobody could
    /// mark it before it was there.
    pub fn keep_out(&self, categories: &[Content<String>], copy: bool) -> bool {
        let any = |names: &[String]| names.iter().any(|name| has_category(categories, name));
        any(&self.block) || !(copy || self.allow.is_empty() || any(&self.allow))
    }
}

/// True where one of the categories is this, in any case.
pub fn has_category(categories: &[Content<String>], name: &str) -> bool {
    let name = name.trim().to_lowercase();
    categories
        .iter()
        .any(|category| category.expose().trim().to_lowercase() == name)
}

/// Which folders take part. Each counts by itself: one that lies in another does not take part for that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderRules {
    /// The mailbox's default folder.
    #[serde(default = "yes")]
    pub default: bool,
    /// Folders of these names, in any case, wherever they are.
    #[serde(default)]
    pub also: Vec<String>,
}

fn yes() -> bool {
    true
}

impl Default for FolderRules {
    fn default() -> Self {
        Self {
            default: true,
            also: Vec::new(),
        }
    }
}

impl FolderRules {
    /// The same in the words of the port. Empty names name nothing.
    pub fn choice(&self) -> FolderChoice {
        let names = self.also.iter().filter(|name| !name.trim().is_empty());
        FolderChoice {
            default: self.default,
            also: names.cloned().collect(),
            told: false,
        }
    }

    /// True where no folder takes part at all.
    pub fn choose_none(&self) -> bool {
        let choice = self.choice();
        !choice.default && choice.also.is_empty()
    }

    /// True where an item in this folder does not take part.
    pub fn keep_out(&self, folder: &ItemFolder) -> bool {
        match folder {
            ItemFolder::Default => !self.default,
            ItemFolder::Other(name) => self.choice().place_of(name).is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(allow: &[&str], block: &[&str]) -> CategoryRules {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        CategoryRules {
            allow: list(allow),
            block: list(block),
        }
    }

    #[test]
    fn a_blocked_category_beats_an_allowed_one_and_without_lists_everything_takes_part() {
        type Case = (
            &'static [&'static str],
            &'static [&'static str],
            &'static [&'static str],
            bool,
            bool,
        );
        let table: [Case; 8] = [
            // allow, block, the item's, a copy of ours, kept out?
            (&[], &[], &[], false, false),
            (&[], &[], &["Red"], false, false),
            (&["CRM"], &[], &[" crm "], false, false),
            (&["CRM"], &[], &["Red"], false, true),
            (&["CRM"], &[], &[], false, true),
            (&["CRM"], &[], &[], true, false),
            (&["CRM"], &["Home"], &["CRM", "HOME"], false, true),
            (&[], &["Home"], &["home"], true, true),
        ];
        for (allow, block, has, copy, out) in table {
            let has: Vec<Content<String>> = has.iter().map(|name| Content::from(*name)).collect();
            assert_eq!(
                rules(allow, block).keep_out(&has, copy),
                out,
                "{allow:?} {block:?}"
            );
        }
    }

    #[test]
    fn an_item_takes_part_by_the_folder_that_it_lies_in_and_by_no_other() {
        let rules = |default, also: &[&str]| FolderRules {
            default,
            also: also.iter().map(|name| (*name).to_owned()).collect(),
        };
        let named = |name: &str| ItemFolder::Other(name.into());
        for (rules, folder, out) in [
            (rules(true, &[]), ItemFolder::Default, false),
            (rules(true, &[]), named("Customers"), true),
            (rules(true, &["customers "]), named(" Customers"), false),
            (rules(true, &["customers"]), named("Friends"), true),
            (rules(false, &["customers"]), ItemFolder::Default, true),
            (rules(false, &["customers"]), named("CUSTOMERS"), false),
            // A folder that is none of the kind has no name.
            (rules(true, &["", " "]), named(""), true),
        ] {
            assert_eq!(rules.keep_out(&folder), out, "{rules:?}");
        }
        assert!(rules(false, &[" "]).choose_none() && !rules(false, &["x"]).choose_none());
    }
}
