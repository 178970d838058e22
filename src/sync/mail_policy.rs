//! Which mail is saved, how much of it, and where it is filed. Part of the policy.

use crate::crm::filing::{AddressField, PlaceBy};
use serde::{Deserialize, Serialize};

/// How much of a mail is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailBody {
    /// All of it.
    Full,
    /// The header: who, when, the title.
    HeaderOnly,
    /// Who and when.
    None,
}

/// How a mail finds its place in the CRM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchRule {
    /// A mail of its thread is in the CRM already: it goes where that one is now, even if a person has moved it.
    Thread,
    /// Somebody in it is a contact.
    Contact,
    /// Somebody in it is a lead.
    Lead,
    /// A contact in it belongs to an account.
    Account,
    /// The contacts in it have a role in one open opportunity.
    Opportunity,
    /// The contacts in it have one open case.
    Case,
    /// One record of an object has an address of it in a field.
    Object(AddressField),
}

impl MatchRule {
    /// The word that is shown.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Thread => "thread",
            Self::Contact => "contact",
            Self::Lead => "lead",
            Self::Account => "account",
            Self::Opportunity => "opportunity",
            Self::Case => "case",
            Self::Object(_) => "object",
        }
    }

    /// By what the CRM is asked; `None` where the people themselves say enough.
    pub fn asks_for(&self) -> Option<PlaceBy> {
        match self {
            Self::Opportunity => Some(PlaceBy::Opportunity),
            Self::Case => Some(PlaceBy::Case),
            Self::Object(field) => Some(PlaceBy::Address(field.clone())),
            Self::Thread | Self::Contact | Self::Lead | Self::Account => None,
        }
    }
}

fn usual_rules() -> Vec<MatchRule> {
    vec![
        MatchRule::Thread,
        MatchRule::Contact,
        MatchRule::Lead,
        MatchRule::Account,
    ]
}

/// Mail that its owner marks to be saved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnDemand {
    /// Categories that mark a mail, in any case.
    #[serde(default)]
    pub categories: Vec<String>,
    /// Names of folders, in any case and wherever they are; a mail that is put into one is marked.
    #[serde(default)]
    pub folders: Vec<String>,
    /// True where nothing is saved unless it is marked.
    #[serde(default)]
    pub only: bool,
}

/// Mail: always from the mailbox to the CRM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailPolicy {
    /// Is mail saved at all?
    pub enabled: bool,
    /// How many days back.
    pub past_days: u32,
    /// How much of it.
    pub body: MailBody,
    /// Addresses (`a@b.example`) and domains (`b.example`): a mail with one of them is not saved.
    pub block: Vec<String>,
    /// Addresses and domains, where the list is not empty: a mail without one of them is not saved.
    #[serde(default)]
    pub allow: Vec<String>,
    /// Domains of the organisation itself: a mail that only they exchanged is not saved.
    pub internal_domains: Vec<String>,
    /// In this order: a mail is saved if a rule matches, and filed under the first record that one names.
    #[serde(default = "usual_rules")]
    pub matching: Vec<MatchRule>,
    /// Mail that its owner marks.
    #[serde(default)]
    pub on_demand: OnDemand,
}

impl Default for MailPolicy {
    fn default() -> Self {
        Self {
            enabled: true,
            past_days: 365,
            body: MailBody::Full,
            block: Vec::new(),
            allow: Vec::new(),
            internal_domains: Vec::new(),
            matching: usual_rules(),
            on_demand: OnDemand::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str =
        "enabled = true\npast_days = 30\nbody = \"none\"\nblock = []\ninternal_domains = []\n";

    fn read(more: &str) -> Result<MailPolicy, toml_edit::de::Error> {
        toml_edit::de::from_str(&format!("{BEFORE}{more}"))
    }

    #[test]
    fn a_policy_from_before_there_were_rules_has_the_usual_ones_and_nothing_on_demand() {
        let policy = read("").unwrap();
        assert_eq!(policy.matching, usual_rules());
        assert_eq!(
            (policy.allow, policy.on_demand),
            (Vec::new(), OnDemand::default())
        );
    }

    #[test]
    fn rules_are_read_in_their_order_and_a_name_that_is_none_is_refused() {
        let object = |name: &str| {
            let field = format!("{{ object = \"{name}\", field = \"Customer_Email__c\" }}");
            format!("matching = [\"lead\", {{ object = {field} }}, \"thread\"]")
        };
        let policy = read(&object("Project__c")).unwrap();
        let words: Vec<&str> = policy.matching.iter().map(MatchRule::word).collect();
        assert_eq!(words, ["lead", "object", "thread"]);
        let refused = read(&object("Project__c WHERE")).unwrap_err().to_string();
        assert!(refused.contains("letters, digits and underscores"), "{refused}");
    }
}
