//! What goes wrong between the Salesforce connector and its org, and that nothing is lost or doubled by it.

use crate::crm_contract::samples::{key, mail, task};
use crate::salesforce_org::{Org, connector, jwt, keyed, senders, tasks};
use holdfast::crm::error::CrmError;
use holdfast::crm::model::CrmWrite;
use holdfast::crm::port::Crm;
use holdfast::crm::salesforce::{SalesforceCrm, SalesforceSettings};
use holdfast::foundation::clock::Clock;
use holdfast::foundation::content::Content;
use holdfast::foundation::egress::{Gate, GateLimits, MemoryLedger, Policy, TrustRoots};
use holdfast::foundation::explain::{Explain, Kind};
use holdfast::foundation::failure::Class;
use holdfast::record::Record;
use holdfast::record::kind::RecordKind;
use holdfast_lab::cast::OutsiderKind;
use holdfast_lab::faults::{Fault, Rule, Side, Told};
use holdfast_lab::salesforce::app;
use std::sync::Arc;

#[tokio::test]
async fn an_expired_token_is_renewed_once_and_the_call_repeated() {
    let org = Org::up().await;
    org.crm.probe(&org.user).await.expect("signed in");
    let before = org.sign_ins();
    org.fault(None, Fault::ExpiredToken, Some(1));
    let written = org
        .create("after expiry", Record::Task(task()))
        .await
        .expect("healed");
    assert!(!written.existed);
    assert_eq!(org.sign_ins(), before + 1);
}

#[tokio::test]
async fn calls_at_the_same_time_share_one_sign_in() {
    let org = Org::up().await;
    let probes = (0..8).map(|_| org.crm.probe(&org.user));
    for probe in futures_util::future::join_all(probes).await {
        probe.expect("signed in");
    }
    assert_eq!(org.sign_ins(), 1);
}

#[tokio::test]
async fn a_token_that_stays_refused_is_not_renewed_for_ever() {
    let org = Org::up().await;
    org.crm.probe(&org.user).await.expect("signed in");
    let before = org.sign_ins();
    org.fault(None, Fault::ExpiredToken, None);
    let error = org
        .create("never", Record::Task(task()))
        .await
        .expect_err("refused");
    assert_eq!(error.class(), Class::SignInExpired);
    assert_eq!(org.sign_ins(), before + 1);
}

#[tokio::test]
async fn a_wrong_application_and_a_wrong_key_are_the_applications_fault() {
    let org = Org::up().await;
    let unknown = connector(&org.lab, "3MVG9.unknown", jwt(app::JWT_PRIVATE_KEY_PEM));
    let not_a_key = connector(&org.lab, app::CLIENT_ID, jwt("-----BEGIN NOTHING-----"));
    for crm in [unknown, not_a_key] {
        let error = crm.probe(&org.user).await.expect_err("refused");
        assert!(matches!(error, CrmError::ApplicationRefused { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_login_page_in_place_of_data_is_told_as_what_it_is() {
    let org = Org::up().await;
    org.crm.probe(&org.user).await.expect("signed in");
    for status in [200, 403] {
        org.fault(None, Fault::Html { status }, Some(1));
        let error = org
            .crm
            .changes(&org.user, RecordKind::Tasks, None)
            .await
            .err()
            .expect("no page");
        assert!(matches!(error, CrmError::Unintelligible { .. }), "{error}");
    }
    org.crm
        .changes(&org.user, RecordKind::Tasks, None)
        .await
        .expect("all is well again");
}

#[tokio::test]
async fn calls_that_are_used_up_stop_the_turn_for_a_while() {
    let org = Org::up().await;
    org.crm.probe(&org.user).await.expect("signed in");
    org.fault(None, Fault::LimitExceeded, Some(1));
    let error = org
        .crm
        .changes(&org.user, RecordKind::Tasks, None)
        .await
        .err()
        .expect("no page");
    assert!(matches!(error.class(), Class::Throttled { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_stumbles_is_asked_again_and_one_that_asks_for_patience_gets_it() {
    let org = Org::up().await;
    org.crm.probe(&org.user).await.expect("signed in");
    let stumble = |retry_after| Fault::HttpStatus {
        status: 503,
        retry_after,
    };
    org.fault(None, stumble(None), Some(1));
    org.crm
        .changes(&org.user, RecordKind::Tasks, None)
        .await
        .expect("asked again");
    org.fault(None, stumble(Some(30)), Some(1));
    let error = org
        .crm
        .changes(&org.user, RecordKind::Tasks, None)
        .await
        .err()
        .expect("no page");
    assert!(
        matches!(error, CrmError::Busy { wait, .. } if wait.as_secs() == 30),
        "{error}"
    );
}

#[tokio::test]
async fn locked_rows_are_tried_again_and_only_they() {
    let org = Org::up().await;
    org.crm.probe(&org.user).await.expect("signed in");
    org.fault(None, Fault::LockedRow, Some(1));
    let fates = org
        .crm
        .write(&org.user, RecordKind::Tasks, &tasks(10))
        .await
        .expect("answered");
    assert!(
        fates
            .iter()
            .all(|fate| fate.as_ref().is_ok_and(|written| !written.existed))
    );
    assert_eq!(keyed(&org.lab, "Task"), 10);
}

#[tokio::test]
async fn a_batch_that_was_half_applied_is_completed_by_its_repetition() {
    for fault in [Fault::HalfApplied, Fault::ApplyThenCut] {
        let org = Org::up().await;
        org.crm.capabilities(&org.user).await.expect("described");
        // Twice, since the first cut may be healed by the connection's own repetition.
        org.fault(None, fault, Some(2));
        let cut = org.crm.write(&org.user, RecordKind::Tasks, &tasks(10)).await;
        assert!(cut.is_err(), "nobody knows what happened");
        let already = keyed(&org.lab, "Task");
        assert!(already > 0, "something was applied");
        org.lab.parts.faults.clear();
        let fates = org
            .crm
            .write(&org.user, RecordKind::Tasks, &tasks(10))
            .await
            .expect("answered");
        let existed = fates.iter().flatten().filter(|written| written.existed);
        assert_eq!(existed.count(), already);
        assert!(fates.iter().all(Result::is_ok));
        assert_eq!(keyed(&org.lab, "Task"), 10);
    }
}

#[tokio::test]
async fn a_mail_that_lost_its_sender_to_a_crash_gets_it_by_the_repetition() {
    let org = Org::up().await;
    org.crm.capabilities(&org.user).await.expect("described");
    let contact = org.known(OutsiderKind::Contact, 0).address;
    let record = Record::Email(Box::new(mail(&contact, &["somebody@unknown.example"])));
    let addresses = [Content::from(contact.as_str())];
    let write = CrmWrite::Create {
        key: key("mail"),
        record,
        matches: org.crm.who_is(&org.user, &addresses).await.expect("answered"),
    };
    let before = senders(&org.lab);
    org.lab.parts.faults.add(Rule {
        side: Side::Salesforce,
        operation: None,
        mailbox: None,
        fault: Fault::Down,
        times: Some(1),
        skip: 1,
        probability: None,
        seed: 1,
    });
    let writes = [write];
    let cut = org.crm.write(&org.user, RecordKind::Mail, &writes).await;
    assert!(cut.is_err());
    assert_eq!((keyed(&org.lab, "EmailMessage"), senders(&org.lab)), (1, before));
    for _ in 0..2 {
        let fates = org
            .crm
            .write(&org.user, RecordKind::Mail, &writes)
            .await
            .expect("answered");
        assert!(fates[0].as_ref().is_ok_and(|written| written.existed));
        assert_eq!(
            (keyed(&org.lab, "EmailMessage"), senders(&org.lab)),
            (1, before + 1)
        );
    }
}

#[tokio::test]
async fn a_door_that_is_shut_is_named_with_the_setting_that_opens_it() {
    let org = Org::up().await;
    let mut settings_door = org.lab.salesforce_http_url.clone().expect("plain HTTP");
    settings_door = settings_door.replace("127.0.0.1", "localhost");
    let gate = Gate::new(
        Policy::parse(["somewhere.example:443"]).expect("a door"),
        TrustRoots::only([]).expect("no roots"),
        Arc::new(MemoryLedger::default()),
        GateLimits::default(),
    );
    let settings = SalesforceSettings {
        login_url: settings_door.parse().expect("a URL"),
        client_id: app::CLIENT_ID.to_owned(),
        flow: jwt(app::JWT_PRIVATE_KEY_PEM),
        api_version: None,
        watch_user: None,
    };
    let crm = SalesforceCrm::new(settings, gate, Clock::system());
    let error = crm.probe(&org.user).await.expect_err("shut");
    assert!(matches!(error, CrmError::Unreachable(_)));
    assert!(error.sentence().contains("egress.allow"), "{}", error.sentence());
}

#[tokio::test]
async fn each_code_by_which_a_record_is_refused_means_what_the_vendor_says() {
    let org = Org::up().await;
    org.crm.capabilities(&org.user).await.expect("described");
    for (code, class) in [
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", Class::Refused),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", Class::Refused),
        ("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", Class::Refused),
        ("TXN_SECURITY_NO_ACCESS", Class::SignInExpired),
    ] {
        org.fault(
            Some("collections_create"),
            Fault::Refused { code: Told(code) },
            None,
        );
        let fates = org
            .crm
            .write(&org.user, RecordKind::Tasks, &tasks(3))
            .await
            .unwrap_or_else(|error| vec![Err(error)]);
        org.lab.parts.faults.clear();
        for fate in &fates {
            assert_eq!(fate.as_ref().expect_err(code).class(), class, "{code}");
        }
        assert_eq!(keyed(&org.lab, "Task"), 0, "{code}");
    }
}

#[tokio::test]
async fn each_code_by_which_a_question_is_refused_means_what_the_vendor_says() {
    let org = Org::up().await;
    org.crm.capabilities(&org.user).await.expect("described");
    for (code, means) in [
        ("API_TEMPORARILY_UNAVAILABLE", Kind::Unavailable),
        ("QUERY_TIMEOUT", Kind::Unavailable),
        ("STORAGE_LIMIT_EXCEEDED", Kind::Unavailable),
        ("TXN_SECURITY_METERING_ERROR", Kind::Refused),
        ("OPERATION_TOO_LARGE", Kind::Internal),
    ] {
        org.fault(None, Fault::Refused { code: Told(code) }, None);
        let asked = org.crm.changes(&org.user, RecordKind::Tasks, None).await;
        org.lab.parts.faults.clear();
        let error = asked.err().unwrap_or_else(|| panic!("{code} was not told"));
        assert_eq!(error.kind(), means, "{code}: {error:?}");
    }
}
