//! What may become of an attachment.

use crate::foundation::ids::MailboxId;
use crate::record::kind::RecordKind;

/// Which stream carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// Whose mailbox.
    pub mailbox: MailboxId,
    /// Which record type.
    pub kind: RecordKind,
    /// The fencing number of the turn's lease.
    pub fence: i64,
}

/// What is to be done for an item's attachments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// They are carried.
    Carry,
    /// The item is private by now, and the policy shows no more of it than when it is: what was carried before comes
    /// off the record.
    TakeOff,
}

/// An item for whose attachments something is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// The item's shortened id.
    pub item_key: i64,
    /// The item, as the mail server spells it.
    pub item: String,
    /// The record, as the CRM spells it.
    pub record: String,
    /// What is to be done.
    pub errand: Errand,
}

/// What became of an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It hangs on the record.
    Stored,
    /// It does not go, for this reason.
    LeftOut(LeftOut),
}

/// Why an attachment is not carried. The words are stored and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// Larger than the policy or the CRM allows.
    TooLarge,
    /// Its type is blocked.
    TypeBlocked,
    /// Its type is not among those that are allowed.
    TypeNotAllowed,
    /// Its first bytes are of a blocked type, whatever its name says.
    Disguised,
    /// The body shows it.
    Inline,
    /// An attached item, and the policy leaves them out.
    Item,
    /// A link, and the policy leaves them out.
    Link,
}

impl LeftOut {
    /// Every reason.
    pub const ALL: [Self; 7] = [
        Self::TooLarge,
        Self::TypeBlocked,
        Self::TypeNotAllowed,
        Self::Disguised,
        Self::Inline,
        Self::Item,
        Self::Link,
    ];

    /// The stored word.
    pub fn word(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::TypeBlocked => "type_blocked",
            Self::TypeNotAllowed => "type_not_allowed",
            Self::Disguised => "disguised",
            Self::Inline => "inline",
            Self::Item => "item",
            Self::Link => "link",
        }
    }

    /// The reason as a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::TooLarge => "It is larger than the policy or the CRM allows.",
            Self::TypeBlocked => "The policy blocks its type.",
            Self::TypeNotAllowed => "Its type is not among those that the policy allows.",
            Self::Disguised => {
                "Its first bytes are of a type that the policy blocks, whatever its name says."
            }
            Self::Inline => "The body shows it, and the policy leaves such pictures out.",
            Self::Item => "It is an attached item, and the policy leaves those out.",
            Self::Link => "It is a link, and the policy leaves those out.",
        }
    }
}

impl Outcome {
    /// The stored word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::LeftOut(reason) => reason.word(),
        }
    }

    /// The inverse of [`word`](Self::word).
    pub fn from_word(word: &str) -> Option<Self> {
        let left_out = LeftOut::ALL.into_iter().find(|reason| reason.word() == word);
        left_out
            .map(Self::LeftOut)
            .or((word == Self::Stored.word()).then_some(Self::Stored))
    }
}
