//! Whether an attachment goes: first by what the list says of it, then by its length and its first bytes. Pure.

use super::model::LeftOut;
use super::policy::AttachmentPolicy;
use crate::mailbox::model::{Attachment, AttachmentBody};

/// First bytes that are enough to tell a type.
pub const SNIFFED: usize = 8 << 10;

/// What the list alone tells. The size in it is not believed here, for the server counts more than the bytes.
///
/// # Errors
/// Why it does not go.
pub fn by_list(policy: &AttachmentPolicy, attachment: &Attachment) -> Result<(), LeftOut> {
    let kept_out = [
        (attachment.inline && !policy.inline, LeftOut::Inline),
        (
            matches!(attachment.body, AttachmentBody::Item) && !policy.items,
            LeftOut::Item,
        ),
        (
            matches!(attachment.body, AttachmentBody::Link(_)) && !policy.links,
            LeftOut::Link,
        ),
    ];
    if let Some((_, reason)) = kept_out.into_iter().find(|(out, _)| *out) {
        return Err(reason);
    }
    match attachment.body {
        AttachmentBody::File => by_type(policy, &extension(attachment.name.expose())),
        AttachmentBody::Item | AttachmentBody::Link(_) => Ok(()),
    }
}

/// What the first bytes tell: a program stays one under any name.
///
/// # Errors
/// [`LeftOut::Disguised`].
pub fn by_first_bytes(policy: &AttachmentPolicy, first: &[u8]) -> Result<(), LeftOut> {
    let Some(kind) = infer::get(first) else {
        return Ok(());
    };
    let blocked = |extension: &str| policy.block_types.iter().any(|one| is(one, extension));
    // Where one kind of program is blocked, so is every other that runs as it stands.
    let program = infer::is_app(first) && (blocked("exe") || blocked("dll"));
    match blocked(kind.extension()) || program {
        true => Err(LeftOut::Disguised),
        false => Ok(()),
    }
}

fn by_type(policy: &AttachmentPolicy, extension: &str) -> Result<(), LeftOut> {
    let listed = |list: &[String]| list.iter().any(|one| is(one, extension));
    if listed(&policy.block_types) {
        Err(LeftOut::TypeBlocked)
    } else if !policy.allow_types.is_empty() && !listed(&policy.allow_types) {
        Err(LeftOut::TypeNotAllowed)
    } else {
        Ok(())
    }
}

fn is(listed: &str, extension: &str) -> bool {
    listed
        .trim()
        .trim_start_matches('.')
        .eq_ignore_ascii_case(extension)
}

/// Windows drops dots and blanks at the end of a name, so `a.exe. ` is a program.
fn extension(name: &str) -> String {
    let name = name.trim_end_matches(['.', ' ']);
    name.rsplit_once('.')
        .map(|(_, extension)| extension.trim().to_ascii_lowercase())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::model::AttachmentId;

    fn file(name: &str) -> Attachment {
        Attachment {
            id: AttachmentId("1".to_owned()),
            body: AttachmentBody::File,
            name: name.into(),
            size: Some(100),
            inline: false,
        }
    }

    #[test]
    fn a_blocked_type_is_known_by_its_name_in_any_spelling() {
        let policy = AttachmentPolicy::default();
        for name in ["a.exe", "A.EXE", "invoice.pdf.exe", "a.exe. ", "a.Js"] {
            assert_eq!(by_list(&policy, &file(name)), Err(LeftOut::TypeBlocked), "{name}");
        }
        for name in ["a.pdf", "exe", "no extension", "a.exe.txt"] {
            assert_eq!(by_list(&policy, &file(name)), Ok(()), "{name}");
        }
    }

    #[test]
    fn an_allow_list_lets_nothing_else_through() {
        let policy = AttachmentPolicy {
            allow_types: vec![".PDF".to_owned()],
            ..AttachmentPolicy::default()
        };
        assert_eq!(by_list(&policy, &file("a.pdf")), Ok(()));
        assert_eq!(by_list(&policy, &file("a.docx")), Err(LeftOut::TypeNotAllowed));
        assert_eq!(by_list(&policy, &file("pdf")), Err(LeftOut::TypeNotAllowed));
    }

    #[test]
    fn a_program_is_known_by_its_first_bytes_and_a_document_passes() {
        let policy = AttachmentPolicy::default();
        let program = [b"MZ".as_slice(), &[0; 200]].concat();
        assert_eq!(by_first_bytes(&policy, &program), Err(LeftOut::Disguised));
        let elf = [b"\x7FELF".as_slice(), &[2; 200]].concat();
        assert_eq!(by_first_bytes(&policy, &elf), Err(LeftOut::Disguised));
        for document in [b"%PDF-1.7 x".as_slice(), b"\x89PNG\r\n\x1a\n", b"hello", b""] {
            assert_eq!(by_first_bytes(&policy, document), Ok(()));
        }
    }

    #[test]
    fn what_is_apart_is_left_out_for_its_own_reason() {
        let inline = Attachment {
            inline: true,
            ..file("logo.png")
        };
        let item = Attachment {
            body: AttachmentBody::Item,
            ..file("Re: offer")
        };
        let link = Attachment {
            body: AttachmentBody::Link("https://files.example/1".into()),
            ..file("plan.docx")
        };
        let none = AttachmentPolicy {
            items: false,
            links: false,
            ..AttachmentPolicy::default()
        };
        assert_eq!(by_list(&none, &inline), Err(LeftOut::Inline));
        assert_eq!(by_list(&none, &item), Err(LeftOut::Item));
        assert_eq!(by_list(&none, &link), Err(LeftOut::Link));
        let all = AttachmentPolicy {
            inline: true,
            ..AttachmentPolicy::default()
        };
        assert!([inline, item, link].iter().all(|one| by_list(&all, one).is_ok()));
    }
}
