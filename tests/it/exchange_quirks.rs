//! Answers that real servers have given and that the lab does not give: a server of a few lines says them.

use crate::harness::exchange::server_at;
use holdfast::foundation::failure::Class;
use holdfast::foundation::ids::MailboxId;
use holdfast::foundation::secret::Secret;
use holdfast::mailbox::exchange::{ExchangeServer, ExchangeSettings, SignIn};
use holdfast::mailbox::model::*;
use holdfast::mailbox::port::MailboxServer;
use holdfast::record::Record;
use holdfast::record::event::*;
use holdfast::record::field::FieldSet;
use holdfast::record::kind::RecordKind;
use holdfast::record::person::Person;
use holdfast::record::task::Task;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// Status and body for a request.
type Say = dyn Fn(&str) -> (u16, String) + Send + Sync;

/// A server that answers each POST as it is told, and keeps what it was asked.
struct Quirky {
    server: ExchangeServer,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// A request.
#[derive(Clone)]
struct Asked {
    /// Its head, in small letters.
    head: String,
    body: String,
}

impl Quirky {
    async fn that_says(say: impl Fn(&str) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "http://127.0.0.1:{}/EWS/Exchange.asmx",
            listener.local_addr().unwrap().port()
        );
        let say: Arc<Say> = Arc::new(say);
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer_all(stream, Arc::clone(&say), Arc::clone(&kept)));
            }
        });
        let password = Secret::new("secret".to_owned());
        let mut settings = ExchangeSettings::new(Url::parse(&url).unwrap(), "svc", password);
        settings.sign_in = SignIn::Basic;
        Self {
            server: server_at(settings, &[]),
            asked,
        }
    }

    fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|request| request.body.clone()).collect()
    }

    /// The value of a header in each request so far.
    fn header(&self, name: &str) -> Vec<Option<String>> {
        let value = |head: &str| {
            let line = head
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            line.map(str::to_owned)
        };
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|request| value(&request.head)).collect()
    }

    async fn read(&self, items: &[&str]) -> Vec<Result<MailboxItem, Class>> {
        let items: Vec<ItemId> = items.iter().map(|id| ItemId((*id).to_owned())).collect();
        let read = self
            .server
            .read(&mailbox(), RecordKind::Tasks, &items)
            .await
            .unwrap();
        read.into_iter()
            .map(|item| item.map_err(|error| error.class()))
            .collect()
    }

    async fn create(&self, count: usize) -> Vec<Result<ItemId, Class>> {
        let create = |number| MailboxWrite::Create {
            stamp: Stamp(format!("stamp-{number}")),
            record: Record::Task(Task {
                subject: format!("task {number}").into(),
                ..Task::default()
            }),
        };
        let writes: Vec<_> = (0..count).map(create).collect();
        let written = self
            .server
            .write(&mailbox(), RecordKind::Tasks, &writes, Notify::Nobody)
            .await
            .unwrap();
        written
            .into_iter()
            .map(|item| item.map(|item| item.item.id).map_err(|error| error.class()))
            .collect()
    }
}

async fn answer_all(mut stream: TcpStream, say: Arc<Say>, asked: Arc<Mutex<Vec<Asked>>>) {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return,
            }
        }
        let head = String::from_utf8_lossy(&head).to_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        let request = String::from_utf8(body).unwrap();
        let (status, body) = say(&request);
        asked.lock().unwrap().push(Asked { head, body: request });
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Length: {}\r\n\
             Set-Cookie: exchangecookie=c0ffee; path=/; HttpOnly\r\nSet-Cookie: tracking=4711; path=/\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body.as_bytes()).await.unwrap();
    }
}

fn mailbox() -> MailboxRef {
    MailboxRef::new(MailboxId(1), "a@example.com")
}

fn envelope(body: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
        xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\" \
        xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\"><s:Body>{body}</s:Body></s:Envelope>"
    )
}

fn messages(operation: &str, messages: impl IntoIterator<Item = String>) -> (u16, String) {
    let messages: String = messages.into_iter().collect();
    let body = format!(
        "<m:{operation}Response><m:ResponseMessages>{messages}</m:ResponseMessages></m:{operation}Response>"
    );
    (200, envelope(&body))
}

fn success(operation: &str, inside: &str) -> String {
    format!(
        "<m:{operation}ResponseMessage ResponseClass=\"Success\"><m:ResponseCode>NoError</m:ResponseCode>{inside}\
        </m:{operation}ResponseMessage>"
    )
}

fn failure(operation: &str, class: &str, code: &str) -> String {
    format!(
        "<m:{operation}ResponseMessage ResponseClass=\"{class}\"><m:MessageText>.</m:MessageText>\
        <m:ResponseCode>{code}</m:ResponseCode><m:Items/></m:{operation}ResponseMessage>"
    )
}

fn fault(code: &str) -> (u16, String) {
    let detail = format!(
        "<e:ResponseCode xmlns:e=\"http://schemas.microsoft.com/exchange/services/2006/errors\">{code}</e:ResponseCode>"
    );
    let fault = format!(
        "<s:Fault><faultcode>s:Client</faultcode><faultstring>.</faultstring><detail>{detail}</detail></s:Fault>"
    );
    (500, envelope(&fault))
}

fn probe() -> (u16, String) {
    messages("GetFolder", [success("GetFolder", "<m:Folders/>")])
}

fn task(id: &str) -> String {
    let item = format!(
        "<m:Items><t:Task><t:ItemId Id=\"{id}\" ChangeKey=\"1\"/><t:Subject>{id}</t:Subject></t:Task></m:Items>"
    );
    success("GetItem", &item)
}

/// The identifiers that a request names.
fn ids(request: &str) -> Vec<&str> {
    request
        .split("<t:ItemId Id=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect()
}

#[tokio::test]
async fn an_item_that_no_parser_likes_is_refused_alone_and_the_others_are_read() {
    let quirky = Quirky::that_says(|request| {
        if request.contains("<m:GetFolder>") {
            return probe();
        }
        let items = ids(request);
        match items.contains(&"bad") {
            true => (
                200,
                envelope("<m:GetItemResponse><m:ResponseMessages></m:Broken>"),
            ),
            false => messages("GetItem", items.into_iter().map(task)),
        }
    })
    .await;
    let read = quirky.read(&["a", "b", "bad", "c", "d", "e"]).await;
    let refused: Vec<bool> = read
        .iter()
        .map(|item| matches!(item, Err(Class::Refused)))
        .collect();
    assert_eq!(refused, [false, false, true, false, false, false]);
    assert!(read.iter().filter(|item| item.is_ok()).count() == 5);
}

#[tokio::test]
async fn an_item_whose_body_breaks_the_server_is_read_without_it() {
    let quirky = Quirky::that_says(|request| {
        if request.contains("<m:GetFolder>") {
            return probe();
        }
        let items = ids(request);
        match items.contains(&"bad") && request.contains("item:Body") {
            true => fault("ErrorInternalServerError"),
            false => messages("GetItem", items.into_iter().map(task)),
        }
    })
    .await;
    let read = quirky.read(&["a", "bad", "b"]).await;
    let degraded: Vec<bool> = read
        .iter()
        .map(|item| item.as_ref().ok().unwrap().degraded)
        .collect();
    assert_eq!(degraded, [false, true, false]);
}

#[tokio::test]
async fn one_failed_message_in_a_batch_is_asked_for_again_without_its_body() {
    let quirky = Quirky::that_says(|request| {
        if request.contains("<m:GetFolder>") {
            return probe();
        }
        let message = |id| match id {
            "bad" if request.contains("item:Body") => {
                failure("GetItem", "Error", "ErrorContentConversionFailed")
            }
            "gone" => failure("GetItem", "Error", "ErrorItemNotFound"),
            id => task(id),
        };
        messages("GetItem", ids(request).into_iter().map(message))
    })
    .await;
    let read = quirky.read(&["a", "bad", "gone"]).await;
    assert!(read[0].as_ref().is_ok_and(|item| !item.degraded));
    assert!(read[1].as_ref().is_ok_and(|item| item.degraded));
    assert!(matches!(read[2], Err(Class::Gone)));
}

#[tokio::test]
async fn a_busy_server_behind_an_internal_error_is_not_an_item_that_breaks_the_server() {
    let quirky = Quirky::that_says(|request| {
        if request.contains("<m:GetFolder>") {
            return probe();
        }
        let busy = "<m:GetItemResponseMessage ResponseClass=\"Error\"><m:MessageText>.</m:MessageText>\
            <m:ResponseCode>ErrorInternalServerError</m:ResponseCode><m:MessageXml>\
            <t:Value Name=\"InnerErrorMessageText\">.</t:Value>\
            <t:Value Name=\"InnerErrorResponseCode\">ErrorServerBusy</t:Value>\
            <t:Value Name=\"BackOffMilliseconds\">90000</t:Value></m:MessageXml><m:Items/></m:GetItemResponseMessage>";
        messages("GetItem", [busy.to_owned()])
    })
    .await;
    let read = quirky.read(&["a"]).await;
    assert!(matches!(read[0], Err(Class::Throttled { wait }) if wait.as_secs() == 90));
}

#[tokio::test]
async fn an_old_server_is_spoken_to_in_its_own_version() {
    let quirky = Quirky::that_says(|request| match request.contains("Version=\"Exchange2010_SP2\"") {
        true if request.contains("<m:GetFolder>") => probe(),
        true => messages("GetItem", ids(request).into_iter().map(task)),
        false => fault("ErrorInvalidServerVersion"),
    })
    .await;
    assert!(quirky.read(&["a"]).await[0].is_ok());
    assert!(quirky.read(&["b"]).await[0].is_ok());
    let asked = quirky.asked();
    let refused = asked
        .iter()
        .filter(|request| !request.contains("Exchange2010_SP2"))
        .count();
    assert_eq!((refused, asked.len()), (3, 6), "the version is asked for once");
}

#[tokio::test]
async fn a_mailbox_that_is_older_than_its_server_is_spoken_to_in_its_own_version() {
    let quirky = Quirky::that_says(|request| match request.contains("<m:GetFolder>") {
        true => probe(),
        false if request.contains("Version=\"Exchange2016\"") => {
            fault("ErrorInvalidSchemaVersionForMailboxVersion")
        }
        false => messages("GetItem", ids(request).into_iter().map(task)),
    })
    .await;
    assert!(quirky.read(&["a"]).await[0].is_ok());
    assert!(quirky.read(&["b"]).await[0].is_ok());
    assert_eq!(quirky.asked().len(), 4, "found out once");
}

#[tokio::test]
async fn writes_that_exchange_did_not_get_to_are_sent_again() {
    let quirky = Quirky::that_says(|request| {
        if request.contains("<m:GetFolder>") {
            return probe();
        }
        let subjects: Vec<&str> = request
            .split("<t:Subject>")
            .skip(1)
            .map(|rest| rest.split('<').next().unwrap())
            .collect();
        let made = |subject: &str| {
            let item =
                format!("<m:Items><t:Task><t:ItemId Id=\"{subject}\" ChangeKey=\"1\"/></t:Task></m:Items>");
            success("CreateItem", &item)
        };
        let message = |(place, subject): (usize, &&str)| match place {
            0 | 1 => made(subject),
            _ => failure("CreateItem", "Warning", "ErrorBatchProcessingStopped"),
        };
        messages("CreateItem", subjects.iter().enumerate().map(message))
    })
    .await;
    let expected: Vec<_> = (0..5)
        .map(|number| Ok(ItemId(format!("task {number}"))))
        .collect();
    assert_eq!(quirky.create(5).await, expected);
    assert_eq!(
        quirky.asked().len(),
        4,
        "one look at the version, and two writes at a time"
    );
}

#[tokio::test]
async fn one_write_that_breaks_the_schema_does_not_hold_up_its_neighbours() {
    let quirky = Quirky::that_says(|request| {
        if request.contains("<m:GetFolder>") {
            return probe();
        }
        if request.contains("task 1<") {
            return fault("ErrorSchemaValidation");
        }
        let count = request.matches("<t:Task>").count();
        let item = "<m:Items><t:Task><t:ItemId Id=\"made\" ChangeKey=\"1\"/></t:Task></m:Items>";
        messages("CreateItem", (0..count).map(|_| success("CreateItem", item)))
    })
    .await;
    let made = || Ok(ItemId("made".to_owned()));
    assert_eq!(quirky.create(3).await, [made(), Err(Class::Broken), made()]);
}

#[tokio::test]
async fn no_request_tells_anybody_of_a_meeting_unless_it_was_asked_to() {
    let quirky = Quirky::that_says(|request| match request.contains("<m:GetFolder>") {
        true => probe(),
        false => fault("ErrorAccessDenied"),
    })
    .await;
    let item = ItemRef {
        id: ItemId("a".to_owned()),
        version: ItemVersion("1".to_owned()),
    };
    let kind = RecordKind::Calendar;
    let writes = [
        MailboxWrite::Create {
            stamp: Stamp("a".to_owned()),
            record: Record::Event(meeting()),
        },
        MailboxWrite::Update {
            item: item.clone(),
            fields: FieldSet::of_kind(kind),
            record: Record::Event(meeting()),
        },
        MailboxWrite::Delete { item: item.id },
    ];
    for write in writes {
        let _ = quirky
            .server
            .write(&mailbox(), kind, &[write], Notify::Nobody)
            .await;
    }
    let asked = quirky.asked();
    for attribute in [
        "SendMeetingInvitations",
        "SendMeetingInvitationsOrCancellations",
        "SendMeetingCancellations",
    ] {
        let said = format!(" {attribute}=\"SendToNone\"");
        assert!(asked.iter().any(|request| request.contains(&said)), "{attribute}");
    }
    assert!(
        asked
            .iter()
            .all(|request| !request.contains("SendToAll") && !request.contains("SendOnly"))
    );
}

fn meeting() -> Event {
    let start = chrono::DateTime::UNIX_EPOCH;
    Event {
        meeting_id: None,
        place: Place::Single,
        subject: "s".into(),
        body: "b".into(),
        location: "l".into(),
        when: When::Timed { start, end: start },
        zone: None,
        show_as: ShowAs::Busy,
        sensitivity: Sensitivity::Normal,
        reminder_minutes: None,
        is_organizer: true,
        organizer: None,
        attendees: vec![Attendee {
            person: Person::at("guest@outside.example"),
            attendance: Attendance::Required,
            response: Response::None,
        }],
        groups: Vec::new(),
        cancelled: false,
    }
}

#[tokio::test]
async fn each_request_names_its_mailbox_as_the_anchor_and_brings_back_that_mailboxs_cookies_alone() {
    let exchange = Quirky::that_says(|request| {
        let items = ids(request).into_iter().map(|id| success("GetItem", &task(id)));
        messages("GetItem", items)
    })
    .await;
    let other = MailboxRef::new(MailboxId(2), "b@example.com");
    let item = [ItemId("one".to_owned())];
    for mailbox in [&mailbox(), &mailbox(), &other] {
        let read = exchange
            .server
            .read(mailbox, RecordKind::Tasks, &item)
            .await
            .unwrap();
        assert_eq!(read.len(), 1);
    }
    let anchors: Vec<_> = exchange.header("x-anchormailbox").into_iter().flatten().collect();
    assert_eq!(anchors.len(), exchange.asked().len(), "a request has no anchor");
    let of = |address: &str| -> Vec<Option<String>> {
        let cookies = exchange.header("cookie").into_iter();
        let both = anchors.iter().zip(cookies);
        both.filter(|(anchor, _)| *anchor == address)
            .map(|(_, cookie)| cookie)
            .collect()
    };
    let (mine, theirs) = (of("a@example.com"), of("b@example.com"));
    assert_eq!(mine.first(), Some(&None));
    assert!(
        mine.len() > 1
            && mine[1..]
                .iter()
                .all(|cookie| cookie.as_deref() == Some("exchangecookie=c0ffee")),
        "{mine:?}"
    );
    assert_eq!(
        theirs.first(),
        Some(&None),
        "a mailbox's cookies went to another's back end"
    );
}
