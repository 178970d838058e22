//! What the parser takes and what it refuses, from the SOQL and SOSL Reference.

use super::parse::parse;

#[test]
fn queries_of_the_reference_are_understood() {
    for text in [
        "SELECT Id FROM Contact",
        "select id, name from contact where lastname like 'A%' order by name desc nulls last limit 5 offset 2",
        "SELECT Id, Account.Name, (SELECT Id, RelationId FROM EventRelations) FROM Event",
        "SELECT COUNT() FROM Task WHERE IsClosed = false AND (Priority = 'High' OR ActivityDate < 2026-12-01)",
        "SELECT Id FROM Event WHERE SystemModstamp >= 2026-11-23T06:55:08Z AND Id NOT IN ('00U000000000001')",
        "SELECT Id FROM Contact WHERE Email IN ('a@b.example', 'o\\'c@d.example') AND NOT Name = null",
    ] {
        assert!(
            parse(text).is_ok(),
            "{text}: {:?}",
            parse(text).err().map(|error| error.message)
        );
    }
}

#[test]
fn a_broken_query_is_refused_as_malformed() {
    for text in [
        "",
        "SELECT FROM Contact",
        "SELECT Id FROM",
        "SELECT Id FROM Contact WHERE",
        "SELECT Id FROM Contact WHERE Name = 'open",
        "SELECT Id FROM Contact LIMIT many",
        "DELETE FROM Contact",
    ] {
        let code = parse(text).err().map(|error| error.code);
        assert_eq!(code, Some("MALFORMED_QUERY"), "{text}");
    }
}
