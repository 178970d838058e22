//! Mail there and back, and mail that nobody here wrote.

use std::path::PathBuf;

use chrono::{TimeZone, Utc};

use super::super::value::{Binary, Body};
use super::*;

fn file(name: &str, inline: bool) -> Attachment {
    Attachment {
        serial: 1,
        name: name.to_owned(),
        content_type: Some("image/png".to_owned()),
        content_id: inline.then(|| "picture@lab.example".to_owned()),
        inline,
        contact_photo: false,
        modified: chrono::DateTime::UNIX_EPOCH,
        content: AttachmentContent::File(Binary(Bytes::from_static(b"\x89PNG\r\n\0\xff"))),
    }
}

fn letter() -> Item {
    let mut letter = Item::new(Kind::Message)
        .with(Field::Subject, "Návrh smlouvy – 契約書 🎉")
        .with(Field::From, Address::new("Иванова, Ольга", "olga@lab.example"))
        .with(
            Field::ToRecipients,
            vec![
                Address::new("", "a@b.example"),
                Address::new("李", "li@b.example"),
            ],
        )
        .with(Field::CcRecipients, vec![Address::new("C", "c@b.example")])
        .with(
            Field::DateTimeSent,
            Utc.with_ymd_and_hms(2026, 11, 20, 9, 30, 0).unwrap(),
        )
        .with(Field::InternetMessageId, "<1@lab.example>")
        .with(Field::InReplyTo, "<0@lab.example>")
        .with(Field::References, "<00@lab.example> <0@lab.example>")
        .with(Field::Importance, "High")
        .with(
            Field::Body,
            Body {
                html: true,
                text: "<p>Dobrý den <img src=\"cid:picture@lab.example\"></p>".into(),
            },
        );
    letter.attachments = vec![file("obrázek.png", true), file("plán, \"v2\".png", false)];
    letter
}

#[test]
fn a_mail_survives_the_way_there_and_back() {
    let text = render(&letter());
    let back = read(text.clone());
    for field in [
        Field::Subject,
        Field::From,
        Field::ToRecipients,
        Field::CcRecipients,
        Field::DateTimeSent,
        Field::InternetMessageId,
        Field::InReplyTo,
        Field::References,
        Field::Importance,
        Field::Body,
    ] {
        assert_eq!(
            back.get(field),
            letter().get(field),
            "{field:?} in {}",
            String::from_utf8_lossy(&text)
        );
    }
    assert_eq!(back.attachments.len(), 2);
    for (found, due) in back.attachments.iter().zip(letter().attachments) {
        assert_eq!(
            (&found.name, found.inline, &found.content),
            (&due.name, due.inline, &due.content)
        );
    }
    assert_eq!(render(&back), text, "the kept text is what comes back");
}

#[test]
fn a_made_text_is_the_same_every_time_and_adds_no_message_id() {
    let mut letter = letter();
    letter.unset(Field::InternetMessageId);
    letter.unset(Field::DateTimeSent);
    let text = render(&letter);
    assert_eq!(text, render(&letter));
    let text = String::from_utf8_lossy(&text).to_ascii_lowercase();
    assert!(
        !text.contains("message-id:") && !text.contains("\ndate:"),
        "{text}"
    );
}

#[test]
fn an_attached_mail_is_an_item() {
    let mut outer = letter();
    outer.attachments = vec![Attachment {
        content: AttachmentContent::Item(Box::new(letter())),
        ..file("x", false)
    }];
    let back = read(render(&outer));
    let AttachmentContent::Item(inner) = &back.attachments[0].content else {
        panic!("{back:?}")
    };
    assert_eq!(inner.text(Field::Subject), letter().text(Field::Subject));
    assert_eq!(inner.attachments.len(), 2);
}

#[test]
fn a_mail_with_a_scheduling_part_is_a_meeting_request() {
    let mut request = letter();
    request.attachments.clear();
    request.kind = Kind::MeetingRequest;
    let start = Utc.with_ymd_and_hms(2026, 12, 1, 9, 0, 0).unwrap();
    let request = request
        .with(Field::Uid, "1")
        .with(Field::Start, start)
        .with(Field::End, start);
    let back = read(render(&request));
    assert_eq!(back.kind, Kind::MeetingRequest);
    assert_eq!(back.class(), "IPM.Schedule.Meeting.Request");
    assert_eq!(back.time(Field::Start), Some(start));
}

#[test]
fn signed_and_encrypted_mail_has_its_class() {
    let cases = [
        ("multipart/signed; boundary=b", "IPM.Note.SMIME.MultipartSigned"),
        (
            "application/pkcs7-mime; smime-type=enveloped-data",
            "IPM.Note.SMIME",
        ),
        (
            "multipart/report; report-type=delivery-status; boundary=b",
            "REPORT.IPM.Note.NDR",
        ),
        ("text/plain", "IPM.Note"),
    ];
    for (kind, class) in cases {
        let mail = format!("Subject: x\r\nContent-Type: {kind}\r\n\r\nx\r\n");
        assert_eq!(read(mail).class(), class);
    }
}

#[test]
fn bytes_that_are_no_mail_are_kept() {
    for bytes in [
        &b""[..],
        b"\0",
        b"no header at all",
        b"\xff\xfe\r\n\r\n",
        b"BEGIN:VCALENDAR\r\nnonsense",
    ] {
        let item = read(bytes);
        assert_eq!(render(&item), bytes);
    }
}

#[test]
fn hundredfold_nesting_is_read() {
    let mut mail = String::from("Subject: innermost\r\n\r\nx\r\n");
    for depth in 0..100 {
        mail = format!("Subject: {depth}\r\nContent-Type: message/rfc822\r\n\r\n{mail}");
    }
    assert_eq!(read(mail).text(Field::Subject), "99");
}

/// The mail corpus beside the checkout, if it is there.
fn corpus() -> Vec<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let root = std::env::var_os("HOLDFAST_CORPUS")
        .map_or(beside, PathBuf::from)
        .join("mail");
    let Ok(folders) = std::fs::read_dir(root) else {
        return Vec::new();
    };
    let files = folders
        .flatten()
        .flat_map(|folder| std::fs::read_dir(folder.path()).into_iter().flatten());
    files
        .flatten()
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|end| end == "eml"))
        .collect()
}

#[test]
fn mail_that_real_programs_wrote_is_read_and_given_back() {
    let files = corpus();
    if files.is_empty() {
        eprintln!("skipped: no mail corpus beside this checkout, and HOLDFAST_CORPUS names none");
        return;
    }
    for path in files {
        let bytes = std::fs::read(&path).unwrap();
        let item = read(bytes.clone());
        assert_eq!(render(&item), bytes, "{}", path.display());
        // Without the kept text it can be made anew, and what is made can be read.
        let mut made = item.clone();
        made.mime = None;
        let again = read(render(&made));
        assert_eq!(
            again.attachments.len(),
            item.attachments.len(),
            "{}",
            path.display()
        );
    }
}
