//! Mail. One way only: out of the mailbox.

use super::parts::{person, sensitivity};
use crate::foundation::content::Content;
use crate::mailbox::error::MailboxError;
use crate::mailbox::exchange::wire::item::RawItem;
use crate::record::email::{Direction, Email, Protection};

/// The record of a mail.
///
/// # Errors
/// [`MailboxError::Refused`] for one that bears no time at all.
pub fn read(raw: &mut RawItem, direction: Direction, dropped: bool) -> Result<Email, MailboxError> {
    let message = std::mem::take(&mut raw.message);
    let at = message.sent.or(message.received).or(raw.modified);
    let at = at.ok_or_else(|| MailboxError::Refused {
        code: "MessageWithoutTime".to_owned(),
    })?;
    let body = Content::new(std::mem::take(&mut raw.body));
    let (text, html) = if raw.body_is_html {
        (Content::default(), body)
    } else {
        (body, Content::default())
    };
    let message_id = Some(message.message_id)
        .filter(|id| !id.is_empty())
        .map(Content::new);
    Ok(Email {
        message_id,
        direction,
        subject: Content::new(std::mem::take(&mut raw.subject)),
        from: message.from.or(message.sender).and_then(person),
        to: message.to.into_iter().filter_map(person).collect(),
        cc: message.cc.into_iter().filter_map(person).collect(),
        bcc: message.bcc.into_iter().filter_map(person).collect(),
        at,
        text,
        html,
        sensitivity: sensitivity(&raw.sensitivity),
        protection: protection(raw),
        is_draft: message.is_draft,
        is_report: !is_between_people(&raw.element, &raw.class),
        attachments: raw.attachments.iter().filter(|one| !one.is_inline).count() as u32,
        references: thread(&message.references, &message.in_reply_to),
        categories: raw.categories.iter().cloned().map(Content::new).collect(),
        dropped,
    })
}

/// The Message-IDs before a mail, the nearest last. RFC 5322 section 3.6.4 has the parent in both fields, and real
/// programs write one, the other, or words between the ids.
fn thread(references: &str, in_reply_to: &str) -> Vec<Content<String>> {
    let mut ids: Vec<&str> = Vec::new();
    for text in [references, in_reply_to] {
        for part in text.split('<').skip(1) {
            let Some((id, _)) = part.split_once('>') else {
                continue;
            };
            ids.retain(|known| *known != id);
            ids.push(id);
        }
    }
    ids.into_iter()
        .map(|id| Content::new(format!("<{id}>")))
        .collect()
}

/// S/MIME is known by its class, rights management by the header that [MS-OXORMMS] section 2.1.1.1 demands.
fn protection(raw: &RawItem) -> Option<Protection> {
    if starts_with(&raw.class, "IPM.Note.SMIME") {
        Some(Protection::Smime)
    } else if raw.content_class.eq_ignore_ascii_case("rpmsg.message") {
        Some(Protection::Rights)
    } else {
        None
    }
}

/// False for meeting messages, posts, notices of delivery, automatic replies, and whatever else lies in a
/// mail folder without being a mail that somebody wrote to somebody.
fn is_between_people(element: &str, class: &str) -> bool {
    let is_note = class.eq_ignore_ascii_case("IPM.Note") || starts_with(class, "IPM.Note.");
    element == "Message" && (class.is_empty() || is_note) && !starts_with(class, "IPM.Note.Rules.")
}

fn starts_with(class: &str, prefix: &str) -> bool {
    class
        .get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mails_before_a_mail_are_found_whichever_field_names_them_and_its_parent_is_the_last() {
        let found = |references: &str, in_reply_to: &str| {
            let ids = thread(references, in_reply_to);
            ids.iter()
                .map(|id| id.expose().clone())
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(found("<a@x>\r\n <b@x>", ""), "<a@x> <b@x>");
        assert_eq!(found("<a@x> <b@x>", "<a@x>"), "<b@x> <a@x>");
        assert_eq!(found("", "Your mail of Monday <b@x>"), "<b@x>");
        assert_eq!(found("<cut@x", "no id"), "");
    }

    #[test]
    fn only_what_somebody_wrote_to_somebody_is_a_mail_between_people() {
        assert!(is_between_people("Message", "IPM.Note"));
        assert!(is_between_people("Message", "IPM.Note.SMIME.MultipartSigned"));
        for (element, class) in [
            ("MeetingRequest", "IPM.Schedule.Meeting.Request"),
            ("Message", "REPORT.IPM.Note.NDR"),
            ("Message", "IPM.Note.Rules.OofTemplate.Microsoft"),
            ("PostItem", "IPM.Post"),
            ("Message", "IPM.Notebook"),
        ] {
            assert!(!is_between_people(element, class), "{class}");
        }
    }
}
