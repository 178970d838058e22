//! ExchangeImpersonation: who may act for whom, and how they are named.

use hyper::StatusCode;

use crate::office::{Office, message};

const DRAFTS: &str = "<m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape>\
    <m:FolderIds><t:DistinguishedFolderId Id=\"drafts\"/></m:FolderIds></m:GetFolder>";

fn smtp(address: &str) -> String {
    format!("<t:PrimarySmtpAddress>{address}</t:PrimarySmtpAddress>")
}

#[tokio::test]
async fn the_service_account_acts_in_a_mailbox_by_whichever_name_it_knows() {
    let office = Office::new().await;
    let person = office.person(1);
    let own = office.ask(1, DRAFTS).await.good().attributes("t:FolderId", "Id");
    let names = [
        smtp(&person.smtp),
        format!("<t:SmtpAddress>{}</t:SmtpAddress>", person.smtp),
        format!("<t:PrincipalName>{}</t:PrincipalName>", person.upn),
        format!("<t:SID>{}</t:SID>", person.sid),
    ];
    for name in names {
        let seen = office.ask_as(&name, DRAFTS).await.good();
        assert_eq!(seen.attributes("t:FolderId", "Id"), own, "{name}");
    }
    let made = office
        .ask_as(
            &smtp(&person.smtp),
            &crate::office::create("drafts", &message("For another")),
        )
        .await
        .good();
    office.read(1, &made.item()).await.good();
}

#[tokio::test]
async fn a_mailbox_outside_the_scope_is_refused_with_a_fault() {
    let office = Office::new().await;
    let outside = office.lab.outside_scope.clone();
    let answer = office.ask_as(&smtp(&outside), DRAFTS).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.codes(), ["ErrorImpersonateUserDenied"]);
}

#[tokio::test]
async fn nobodys_address_is_no_mailbox() {
    let office = Office::new().await;
    let answer = office.ask_as(&smtp("nobody@lab.example"), DRAFTS).await;
    assert_eq!(answer.codes(), ["ErrorNonExistentMailbox"]);
}

#[tokio::test]
async fn an_ordinary_person_may_act_for_nobody() {
    let office = Office::new().await;
    let (one, other) = (office.person(0), office.person(1));
    let answer = office
        .ask_for(&one.login, &one.password, &smtp(&other.smtp), DRAFTS)
        .await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(
        answer.codes()[0].starts_with("ErrorImpersonat"),
        "{}",
        answer.text
    );
}
