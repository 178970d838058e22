//! Who wins where both sides changed one record, as it stands in a policy.

use crate::record::field::{Field, FieldSet};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Who wins when both sides changed one record since they were last in step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictRule {
    /// The mailbox's whole record.
    MailboxWins,
    /// The CRM's whole record.
    CrmWins,
    /// The whole record of the side that changed last; the mailbox's when nobody can tell.
    NewestWins,
    /// Field by field: a field that only one side changed comes from there; for one that both changed, the
    /// newest record decides.
    MergeByField,
}

/// Fields with a rule of their own. Such a field is decided by itself, whatever becomes of the rest: where only
/// one side changed it, it comes from there, and where both did, its rule says who wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    try_from = "BTreeMap<String, ConflictRule>",
    into = "BTreeMap<String, ConflictRule>"
)]
pub struct FieldRules([Option<ConflictRule>; Field::PLACES]);

/// A policy names a field that no record type has, or that goes one way.
#[derive(Debug, thiserror::Error)]
#[error("no rule can be given to `{0}`; the fields that both sides can change are {names}", names = names())]
pub struct NoSuchField(String);

fn name(field: Field) -> String {
    field.word().replace(' ', "_")
}

/// What goes one way is never contested.
fn changed_by_both() -> impl Iterator<Item = Field> {
    let fields = Field::ALL.into_iter();
    fields.filter(|field| !FieldSet::ONE_WAY.has(*field))
}

fn names() -> String {
    changed_by_both().map(name).collect::<Vec<_>>().join(", ")
}

impl FieldRules {
    /// The rule of a field; `None` where it goes with the record.
    pub fn get(&self, field: Field) -> Option<ConflictRule> {
        self.0.get(usize::from(field as u8)).copied().flatten()
    }

    /// The same rules, and this one.
    pub fn with(mut self, field: Field, rule: ConflictRule) -> Self {
        if let Some(place) = self.0.get_mut(usize::from(field as u8)) {
            *place = Some(rule);
        }
        self
    }

    /// The fields that have one.
    pub fn fields(&self) -> FieldSet {
        Field::ALL
            .into_iter()
            .filter(|field| self.get(*field).is_some())
            .fold(FieldSet::NONE, FieldSet::with)
    }
}

impl TryFrom<BTreeMap<String, ConflictRule>> for FieldRules {
    type Error = NoSuchField;

    fn try_from(rules: BTreeMap<String, ConflictRule>) -> Result<Self, NoSuchField> {
        let mut all = Self::default();
        for (word, rule) in rules {
            let field = changed_by_both().find(|field| name(*field) == word);
            all = all.with(field.ok_or(NoSuchField(word))?, rule);
        }
        Ok(all)
    }
}

impl From<FieldRules> for BTreeMap<String, ConflictRule> {
    fn from(rules: FieldRules) -> Self {
        Field::ALL
            .into_iter()
            .filter_map(|field| Some((name(field), rules.get(field)?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_come_back_from_a_policy_as_they_went_in() {
        let rules = FieldRules::default()
            .with(Field::ShowAs, ConflictRule::CrmWins)
            .with(Field::Subject, ConflictRule::NewestWins);
        let text = serde_json::to_string(&rules).unwrap();
        assert_eq!(text, r#"{"show_as":"crm_wins","subject":"newest_wins"}"#);
        assert_eq!(serde_json::from_str::<FieldRules>(&text).unwrap(), rules);
    }

    #[test]
    fn every_field_that_both_sides_change_can_have_a_rule() {
        for field in changed_by_both() {
            let rules = FieldRules::default().with(field, ConflictRule::CrmWins);
            assert_eq!(rules.get(field), Some(ConflictRule::CrmWins), "{}", name(field));
        }
    }

    #[test]
    fn a_field_that_does_not_exist_or_goes_one_way_is_refused_by_name() {
        for word in ["colour", "responses"] {
            let policy = format!(r#"{{"{word}":"crm_wins"}}"#);
            let refused = serde_json::from_str::<FieldRules>(&policy).unwrap_err();
            assert!(refused.to_string().contains(&format!("`{word}`")), "{refused}");
        }
    }
}
