//! What goes over the wire whatever the operation: headers, faults, versions.

use hyper::{Method, StatusCode};

use crate::office::{Office, create, envelope, message, version};

const INBOX: &str = "<m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape>\
    <m:FolderIds><t:DistinguishedFolderId Id=\"inbox\"/></m:FolderIds></m:GetFolder>";

#[tokio::test]
async fn answers_and_faults_have_the_content_type_that_strict_clients_compare_as_a_whole() {
    let office = Office::new().await;
    for operation in [INBOX, "<m:NoSuchOperation/>"] {
        let answer = office.ask(0, operation).await;
        assert_eq!(answer.headers["content-type"], "text/xml; charset=utf-8");
    }
}

#[tokio::test]
async fn a_request_without_credentials_is_offered_every_way_to_sign_in() {
    let office = Office::new().await;
    for method in [Method::GET, Method::POST] {
        let answer = office.open(method, None, String::new()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        let offers: Vec<_> = answer.headers().get_all("www-authenticate").iter().collect();
        for scheme in ["Negotiate", "NTLM", "Basic"] {
            let offered = offers
                .iter()
                .any(|offer| offer.to_str().unwrap().starts_with(scheme));
            assert!(offered, "{scheme} is not among {offers:?}");
        }
    }
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let office = Office::new().await;
    let login = office.person(0).login.clone();
    let request = envelope(&version("Exchange2016"), INBOX);
    let answer = office.send(Some((&login, "wrong")), &request).await.unwrap();
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_is_not_xml_is_a_fault_with_status_500() {
    let office = Office::new().await;
    let (login, password) = office.lab.service_account.clone();
    let answer = office
        .send(Some((&login, &password)), "<s:Envelope")
        .await
        .unwrap();
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.codes(), ["ErrorSchemaValidation"]);
}

#[tokio::test]
async fn a_version_that_no_schema_has_is_an_invalid_request() {
    let office = Office::new().await;
    let (login, password) = office.lab.service_account.clone();
    let request = envelope(&version("Exchange2019"), INBOX);
    let answer = office.send(Some((&login, &password)), &request).await.unwrap();
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.codes(), ["ErrorInvalidRequest"]);
}

#[tokio::test]
async fn an_older_server_refuses_a_newer_version_and_says_what_it_is() {
    let office = Office::new().await;
    office
        .lab
        .parts
        .exchange
        .set_build(holdfast_lab::exchange::version::Build::E2010Sp2);
    let person = office.person(0);
    let account = Some((person.login.as_str(), person.password.as_str()));
    let newer = office
        .send(account, &envelope(&version("Exchange2016"), INBOX))
        .await
        .unwrap();
    assert_eq!(newer.codes(), ["ErrorInvalidServerVersion"]);
    let same = office
        .send(account, &envelope(&version("Exchange2010_SP2"), INBOX))
        .await
        .unwrap()
        .good();
    assert_eq!(same.attributes("h:ServerVersionInfo", "MajorVersion"), ["14"]);
}

#[tokio::test]
async fn times_have_no_fraction_and_ids_are_long_enough_for_davmail() {
    let office = Office::new().await;
    let made = office.create(0, "inbox", &message("Times")).await;
    assert!(made.ids()[0].len() >= 136);
    let read = office.read(0, &made.item()).await.good();
    let created = &read.texts("t:DateTimeCreated")[0];
    assert!(created.ends_with('Z') && !created.contains('.'), "{created}");
}

#[tokio::test]
async fn more_changes_than_the_schema_allows_break_it() {
    let office = Office::new().await;
    let answer = office
        .ask(0, &crate::synchronisation::sync("inbox", None, 513))
        .await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.codes(), ["ErrorSchemaValidation"]);
}

#[tokio::test]
async fn a_batch_is_answered_in_order_and_one_bad_entry_fails_alone() {
    let office = Office::new().await;
    let items = format!(
        "{}{}{}",
        message("1"),
        "<t:Task><t:Subject>2</t:Subject></t:Task>",
        message("3")
    );
    let answer = office.ask(0, &create("inbox", &items)).await;
    let codes = answer.codes();
    assert_eq!((codes[0].as_str(), codes[2].as_str()), ("NoError", "NoError"));
    assert_eq!(codes[1], "ErrorCannotCreateTaskInNonTaskFolder");
    assert_eq!(answer.ids().len(), 2);
}
