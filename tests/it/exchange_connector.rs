//! What is Exchange's own: how the connector signs in, and how it takes what a real server throws at it.

use crate::harness::exchange::LabExchange;
use crate::harness::records::{full, other};
use crate::harness::until;
use bytes::Bytes;
use holdfast::foundation::content::Content;
use holdfast::foundation::failure::Class;
use holdfast::mailbox::error::MailboxError;
use holdfast::mailbox::exchange::{ExchangeServer, ImpersonateBy, SignIn};
use holdfast::mailbox::model::*;
use holdfast::mailbox::port::MailboxServer;
use holdfast::record::Record;
use holdfast::record::email::{Direction, Email};
use holdfast::record::event::Event;
use holdfast::record::kind::RecordKind;
use holdfast::record::task::Task;
use holdfast_lab::faults::{Fault, Rule, Side};
use holdfast_lab::{ExtendedProtection, Options};
use std::collections::BTreeMap;
use std::time::Duration;
use url::Url;

fn rule(operation: &str, fault: Fault) -> Rule {
    Rule {
        side: Side::Exchange,
        operation: Some(operation.to_owned()),
        mailbox: None,
        fault,
        times: Some(1),
        skip: 0,
        probability: None,
        seed: 0,
    }
}

fn task(subject: &str) -> Record {
    Record::Task(Task {
        subject: Content::from(subject),
        ..Task::default()
    })
}

fn create(stamp: &str, subject: &str) -> MailboxWrite {
    MailboxWrite::Create {
        stamp: Stamp(stamp.to_owned()),
        record: task(subject),
    }
}

async fn created(server: &ExchangeServer, mailbox: &MailboxRef, writes: &[MailboxWrite]) -> Vec<ItemId> {
    let written = server
        .write(mailbox, RecordKind::Tasks, writes, Notify::Nobody)
        .await
        .unwrap();
    written
        .into_iter()
        .map(|written| written.unwrap().item.id)
        .collect()
}

fn subject(item: &MailboxItem) -> &str {
    match &item.record {
        Record::Task(task) => task.subject.expose(),
        Record::Email(email) => email.subject.expose(),
        _ => panic!("neither a task nor a mail"),
    }
}

/// All changes of a stream from the beginning.
async fn everything(
    server: &ExchangeServer,
    mailbox: &MailboxRef,
    kind: RecordKind,
) -> (Vec<ItemId>, MailboxCursor) {
    let (mut items, mut cursor) = (Vec::new(), None);
    loop {
        let page = server.changes(mailbox, kind, cursor.as_ref(), 512).await.unwrap();
        items.extend(page.changes.into_iter().map(|change| match change {
            ItemChange::Upserted(item) => item.id,
            ItemChange::Deleted(_) => panic!("nothing was deleted"),
        }));
        if !page.more {
            return (items, page.cursor);
        }
        cursor = Some(page.cursor);
    }
}

fn calls(exchange: &LabExchange) -> BTreeMap<String, u64> {
    exchange.lab.parts.stats.side(Side::Exchange).operations
}

#[tokio::test]
async fn ntlm_binds_itself_to_the_channel_as_extended_protection_demands() {
    let extended_protection = ExtendedProtection::Require;
    let options = Options {
        people: 1,
        items_per_person: 0,
        extended_protection,
        ..Options::default()
    };
    let exchange = LabExchange::of(options).await;
    let server = exchange.server();
    server.probe(&exchange.mailbox()).await.unwrap();
    server.probe(&exchange.mailbox()).await.unwrap();
    let stats = exchange.lab.parts.stats.side(Side::Exchange);
    assert_eq!(
        (stats.connections, stats.unauthorized),
        (1, 1),
        "one handshake on one connection serves them all"
    );
}

#[tokio::test]
async fn basic_signs_in_over_tls_and_keeps_its_password_off_an_open_network() {
    let exchange = LabExchange::empty().await;
    let mut settings = exchange.settings();
    settings.sign_in = SignIn::Basic;
    exchange
        .server_with(settings.clone())
        .probe(&exchange.mailbox())
        .await
        .unwrap();
    settings.url = Url::parse("http://mail.example/EWS/Exchange.asmx").unwrap();
    let refused = exchange.server_with(settings).probe(&exchange.mailbox()).await;
    assert!(
        matches!(refused, Err(MailboxError::SignInRefused { code: Some(code) }) if code == "BasicWithoutTls")
    );
}

#[tokio::test]
async fn a_mailbox_is_named_as_the_settings_say() {
    let exchange = LabExchange::empty().await;
    let person = &exchange.lab.cast.people[0];
    for by in [ImpersonateBy::Upn, ImpersonateBy::Sid] {
        let mut settings = exchange.settings();
        settings.impersonate_by = by;
        let mailbox = MailboxRef {
            account: AccountNames::parse(Some(person.upn.clone()), Some(person.sid.clone())).unwrap(),
            // The header alone decides whose mailbox it is.
            address: "nobody@lab.example".to_owned(),
            ..exchange.mailbox()
        };
        exchange.server_with(settings).probe(&mailbox).await.unwrap();
    }
}

#[tokio::test]
async fn a_refused_sign_in_is_tried_once_more_before_it_is_believed() {
    let exchange = LabExchange::empty().await;
    exchange.lab.parts.faults.add(Rule {
        operation: None,
        ..rule("", Fault::WrongPassword)
    });
    exchange.server().probe(&exchange.mailbox()).await.unwrap();
}

#[tokio::test]
async fn characters_that_xml_forbids_neither_stop_the_reader_nor_leave_the_writer() {
    let exchange = LabExchange::empty().await;
    let (server, mailbox) = (exchange.server(), exchange.mailbox());
    let items = created(&server, &mailbox, &[create("a", "bell\u{7} and\u{0} more")]).await;
    exchange.lab.parts.faults.add(rule("GetItem", Fault::IllegalXml));
    let read = server.read(&mailbox, RecordKind::Tasks, &items).await.unwrap();
    let item = read[0].as_ref().ok().unwrap();
    assert!(subject(item).starts_with("bell and more") && !item.degraded);
}

#[tokio::test]
async fn a_web_page_in_the_place_of_an_answer_is_no_answer() {
    let exchange = LabExchange::empty().await;
    let (server, mailbox) = (exchange.server(), exchange.mailbox());
    server.probe(&mailbox).await.unwrap();
    exchange
        .lab
        .parts
        .faults
        .add(rule("GetFolder", Fault::Html { status: 200 }));
    let probe = server.probe(&mailbox).await;
    assert!(matches!(probe, Err(MailboxError::Unintelligible { .. })));
    server.probe(&mailbox).await.unwrap();
}

#[tokio::test]
async fn a_busy_server_is_left_alone_for_as_long_as_it_asked_in_this_mailbox_and_only_there() {
    let exchange = LabExchange::empty().await;
    let (server, mailbox) = (exchange.server(), exchange.mailbox());
    server.probe(&mailbox).await.unwrap();
    exchange.lab.parts.faults.add(rule(
        "GetFolder",
        Fault::Busy {
            back_off_ms: 3_600_000,
        },
    ));
    let probe = server.probe(&mailbox).await.err().unwrap();
    assert_eq!(
        probe.class(),
        Class::Throttled {
            wait: Duration::from_secs(3600)
        }
    );
    let before = calls(&exchange);
    let again = server
        .changes(&mailbox, RecordKind::Tasks, None, 10)
        .await
        .err()
        .unwrap();
    assert!(matches!(again.class(), Class::Throttled { wait } if wait > Duration::from_secs(3000)));
    assert_eq!(calls(&exchange), before, "nothing was asked");
    server.probe(&exchange.mailbox_of(1)).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_away_for_a_moment_says_for_how_long() {
    let exchange = LabExchange::empty().await;
    let (server, mailbox) = (exchange.server(), exchange.mailbox());
    server.probe(&mailbox).await.unwrap();
    exchange.lab.parts.faults.add(rule(
        "GetFolder",
        Fault::HttpStatus {
            status: 503,
            retry_after: Some(7),
        },
    ));
    let probe = server.probe(&mailbox).await.err().unwrap();
    assert_eq!(
        probe.class(),
        Class::Throttled {
            wait: Duration::from_secs(7)
        }
    );
}

#[tokio::test]
async fn a_read_whose_connection_is_cut_is_a_passing_failure_or_none() {
    let exchange = LabExchange::empty().await;
    let (server, mailbox) = (exchange.server(), exchange.mailbox());
    server.probe(&mailbox).await.unwrap();
    exchange
        .lab
        .parts
        .faults
        .add(rule("GetFolder", Fault::Cut { after_bytes: 100 }));
    if let Err(error) = server.probe(&mailbox).await {
        assert_eq!(error.class(), Class::Again);
    }
    server.probe(&mailbox).await.unwrap();
}

#[tokio::test]
async fn a_creation_whose_answer_was_lost_is_found_by_its_stamp_and_not_made_twice() {
    let exchange = LabExchange::empty().await;
    let (server, mailbox) = (exchange.server(), exchange.mailbox());
    for (number, fault) in [Fault::ApplyThenCut, Fault::HalfApplied].into_iter().enumerate() {
        let stamps: Vec<String> = (0..4).map(|item| format!("stamp-{number}-{item}")).collect();
        let writes: Vec<_> = stamps.iter().map(|stamp| create(stamp, stamp)).collect();
        exchange.lab.parts.faults.add(rule("CreateItem", fault));
        let lost = server
            .write(&mailbox, RecordKind::Tasks, &writes, Notify::Nobody)
            .await;
        assert_eq!(lost.err().unwrap().class(), Class::Again);
        let stamps: Vec<Stamp> = stamps.into_iter().map(Stamp).collect();
        let found = server
            .find_stamped(&mailbox, RecordKind::Tasks, &stamps)
            .await
            .unwrap();
        let applied = if number == 0 { 4 } else { 2 };
        assert_eq!(found.iter().flatten().count(), applied);
    }
}

#[tokio::test]
async fn a_sync_state_that_the_server_forgot_is_a_lost_cursor() {
    let exchange = LabExchange::empty().await;
    let (server, mailbox) = (exchange.server(), exchange.mailbox());
    for kind in RecordKind::ALL {
        let (_, cursor) = everything(&server, &mailbox, kind).await;
        exchange.lab.parts.faults.add(Rule {
            times: Some(1),
            ..rule("SyncFolderItems", Fault::LostCursor)
        });
        // Quiet mail folders are not looked into; one arrival makes the stream look.
        if kind == RecordKind::Mail {
            let mail =
                Bytes::from_static(b"Subject: hello\r\nMessage-ID: <1@outside.example>\r\n\r\nhello\r\n");
            exchange
                .lab
                .parts
                .exchange
                .import_eml(&mailbox.address, "inbox", mail)
                .unwrap();
        }
        let page = server.changes(&mailbox, kind, Some(&cursor), 512).await;
        assert_eq!(page.err().unwrap().class(), Class::CursorLost);
    }
}

#[tokio::test]
async fn a_first_read_of_a_thousand_items_takes_thirty_calls_at_most() {
    let options = Options {
        people: 1,
        items_per_person: 1000,
        ..Options::default()
    };
    let exchange = LabExchange::of(options).await;
    let (server, mailbox) = (exchange.server(), exchange.mailbox());
    let mut total = 0;
    for kind in RecordKind::ALL {
        let (items, _) = everything(&server, &mailbox, kind).await;
        let read = server.read(&mailbox, kind, &items).await.unwrap();
        assert!(read.iter().all(Result::is_ok), "{}", kind.word());
        total += items.len();
    }
    let calls: u64 = calls(&exchange).values().sum();
    assert!(total > 500, "the mailbox holds {total} items");
    assert!(
        calls as usize * 1000 <= 30 * total,
        "{calls} calls for {total} items"
    );
}

/// EWS writes the time of a folder's last change in whole seconds: most of these share one with the mail before.
#[tokio::test]
async fn each_of_many_mails_that_arrive_within_a_second_is_told_by_the_next_look() {
    let exchange = LabExchange::empty().await;
    let (server, mailbox) = (exchange.server(), exchange.mailbox());
    let (_, mut cursor) = everything(&server, &mailbox, RecordKind::Mail).await;
    for number in 0..20 {
        let mail = format!("Subject: {number}\r\nMessage-ID: <{number}@outside.example>\r\n\r\nhello\r\n");
        exchange
            .lab
            .parts
            .exchange
            .import_eml(&mailbox.address, "inbox", Bytes::from(mail))
            .unwrap();
        let page = server
            .changes(&mailbox, RecordKind::Mail, Some(&cursor), 512)
            .await
            .unwrap();
        assert_eq!(page.changes.len(), 1, "mail {number}");
        cursor = page.cursor;
    }
}

#[tokio::test]
async fn a_round_over_quiet_mail_folders_costs_one_call() {
    let options = Options {
        people: 1,
        items_per_person: 200,
        ..Options::default()
    };
    let exchange = LabExchange::of(options).await;
    let (server, mailbox) = (exchange.server(), exchange.mailbox());
    let (_, mut cursor) = everything(&server, &mailbox, RecordKind::Mail).await;
    // The folders were filled a moment ago: until that second is surely over, each is read.
    until("one call is enough", Duration::from_secs(20), async || {
        exchange.lab.parts.stats.reset();
        let page = server
            .changes(&mailbox, RecordKind::Mail, Some(&cursor), 512)
            .await
            .unwrap();
        assert!(page.changes.is_empty());
        cursor = page.cursor;
        (calls(&exchange) == BTreeMap::from([("FindFolder".to_owned(), 1)])).then_some(())
    })
    .await;
}

async fn read_mail(server: &ExchangeServer, mailbox: &MailboxRef) -> Vec<Email> {
    let (items, _) = everything(server, mailbox, RecordKind::Mail).await;
    let read = server.read(mailbox, RecordKind::Mail, &items).await.unwrap();
    let emails = read.into_iter().map(|item| match item.ok().unwrap().record {
        Record::Email(email) => *email,
        _ => panic!("not a mail"),
    });
    emails.collect()
}

#[tokio::test]
async fn mail_is_read_from_the_inbox_and_the_sent_items_with_its_direction_and_its_people() {
    let exchange = LabExchange::empty().await;
    let (server, mailbox) = (exchange.server(), exchange.mailbox());
    let own = &mailbox.address;
    let arrived = "From: Zoe <zoe@outside.example>\r\nTo: me@lab.example\r\nCc: c@outside.example\r\n\
        Date: Mon, 4 Jan 2027 10:00:00 +0100\r\nMessage-ID: <in@outside.example>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\
        Content-Type: text/plain; charset=utf-8\r\n\r\nhello\r\n";
    let sent = format!(
        "From: {own}\r\nTo: zoe@outside.example\r\nDate: Mon, 4 Jan 2027 11:00:00 +0100\r\n\
        Message-ID: <out@lab.example>\r\nSubject: back\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>hello</p>\r\n"
    );
    let world = &exchange.lab.parts.exchange;
    world.import_eml(own, "inbox", Bytes::from(arrived)).unwrap();
    world.import_eml(own, "sentitems", Bytes::from(sent)).unwrap();
    world
        .import_eml(
            own,
            "drafts",
            Bytes::from_static(b"Subject: not yet\r\n\r\n.\r\n"),
        )
        .unwrap();
    let mut mail = read_mail(&server, &mailbox).await;
    mail.sort_by_key(|email| email.at);
    let [received, sent] = mail.as_slice() else {
        panic!("two mails")
    };
    assert_eq!(
        (received.direction, sent.direction),
        (Direction::Received, Direction::Sent)
    );
    assert_eq!(
        received.message_id.as_ref().unwrap().expose(),
        "<in@outside.example>"
    );
    assert_eq!(received.subject.expose(), "Grüße");
    assert_eq!(
        received.from.as_ref().unwrap().address.expose(),
        "zoe@outside.example"
    );
    assert_eq!(received.cc[0].address.expose(), "c@outside.example");
    assert!(received.text.expose().contains("hello") && received.html.is_empty());
    assert!(sent.html.expose().contains("<p>hello</p>") && sent.text.is_empty());
    assert_eq!(sent.at.to_rfc3339(), "2027-01-04T10:00:00+00:00");
    assert!(!received.is_report && !received.is_draft);
}

#[tokio::test]
async fn seeded_mail_of_all_folders_is_read_and_some_of_it_was_sent() {
    let options = Options {
        people: 2,
        items_per_person: 200,
        ..Options::default()
    };
    let exchange = LabExchange::of(options).await;
    let mail = read_mail(&exchange.server(), &exchange.mailbox()).await;
    let sent = mail
        .iter()
        .filter(|email| email.direction == Direction::Sent)
        .count();
    assert!(sent > 0 && sent < mail.len());
    assert!(
        mail.iter().any(|email| email.is_report),
        "meeting requests are in the inbox too"
    );
}

#[tokio::test]
async fn whole_days_without_a_zone_are_days_where_the_owner_lives() {
    let exchange = LabExchange::empty().await;
    let (server, mailbox) = (exchange.server(), exchange.mailbox());
    let kind = RecordKind::Calendar;
    let create = |stamp: &str, record| MailboxWrite::Create {
        stamp: Stamp(stamp.to_owned()),
        record,
    };
    let Record::Event(event) = full(kind) else {
        panic!("an event")
    };
    let zone = Some(chrono_tz::America::New_York);
    let own = create(
        "own",
        Record::Event(Event {
            zone,
            ..event.clone()
        }),
    );
    server
        .write(&mailbox, kind, &[own], Notify::Nobody)
        .await
        .unwrap();
    let Record::Event(days) = other(kind) else {
        panic!("an event")
    };
    let made = create(
        "days",
        Record::Event(Event {
            zone: None,
            ..days.clone()
        }),
    );
    // Another process: nothing is remembered from the first write.
    let server = exchange.server();
    let written = server
        .write(&mailbox, kind, &[made], Notify::Nobody)
        .await
        .unwrap();
    let item = written[0].as_ref().ok().unwrap().item.id.clone();
    let read = server.read(&mailbox, kind, &[item]).await.unwrap();
    let Record::Event(read) = &read[0].as_ref().ok().unwrap().record else {
        panic!("an event")
    };
    assert!(read.when == days.when && read.zone == zone);
}
