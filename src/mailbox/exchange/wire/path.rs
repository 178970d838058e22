//! Property paths: how a request names a property.
//!
//! Source: "FieldURI", "IndexedFieldURI" and "ExtendedFieldURI" in the EWS reference.

use super::writer::Writer;

/// Our own property set, so that nobody else's names are in the way. PublicStrings is shared by everybody.
const PROPERTY_SET: &str = "6a9b1d5c-2f0e-4d57-9c3e-0f4f8e1b7a21";
/// The one named property that we use; a mailbox has a quota of names.
pub const STAMP_NAME: &str = "HoldfastStamp";
/// CleanGlobalObjectId, PidLid 0x23 in the Meeting set ([MS-OXOCAL] 2.2.1.28).
pub const CLEAN_GLOBAL_OBJECT_ID: &str = "35";
/// The MIME header by which rights-protected mail is known ([MS-OXORMMS] 2.1.1.1).
pub const CONTENT_CLASS: &str = "content-class";
/// PR_LOCAL_COMMIT_TIME_MAX: when a folder's contents changed last.
pub const COMMIT_TIME: &str = "0x670A";
/// PR_DELETED_COUNT_TOTAL: how many items ever left the folder.
pub const DELETED_COUNT: &str = "0x670B";

/// A property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// By its URI, such as `item:Subject`.
    Field(&'static str),
    /// A member of a dictionary: the URI and the key.
    Indexed(&'static str, &'static str),
    /// Our stamp.
    Stamp,
    /// CleanGlobalObjectId.
    MeetingId,
    /// The MIME header `Content-Class`.
    ContentClass,
    /// See [`COMMIT_TIME`].
    CommitTime,
    /// See [`DELETED_COUNT`].
    DeletedCount,
}

impl Path {
    /// Writes it as a request names it.
    pub fn write(self, w: &mut Writer) {
        match self {
            Self::Field(uri) => w.empty("t:FieldURI", &[("FieldURI", uri)]),
            Self::Indexed(uri, key) => {
                w.empty("t:IndexedFieldURI", &[("FieldURI", uri), ("FieldIndex", key)])
            }
            Self::Stamp => w.empty(
                "t:ExtendedFieldURI",
                &[
                    ("PropertySetId", PROPERTY_SET),
                    ("PropertyName", STAMP_NAME),
                    ("PropertyType", "String"),
                ],
            ),
            Self::MeetingId => w.empty(
                "t:ExtendedFieldURI",
                &[
                    ("DistinguishedPropertySetId", "Meeting"),
                    ("PropertyId", CLEAN_GLOBAL_OBJECT_ID),
                    ("PropertyType", "Binary"),
                ],
            ),
            Self::ContentClass => w.empty(
                "t:ExtendedFieldURI",
                &[
                    ("DistinguishedPropertySetId", "InternetHeaders"),
                    ("PropertyName", CONTENT_CLASS),
                    ("PropertyType", "String"),
                ],
            ),
            Self::CommitTime => {
                w.empty(
                    "t:ExtendedFieldURI",
                    &[("PropertyTag", COMMIT_TIME), ("PropertyType", "SystemTime")],
                );
            }
            Self::DeletedCount => {
                w.empty(
                    "t:ExtendedFieldURI",
                    &[("PropertyTag", DELETED_COUNT), ("PropertyType", "Integer")],
                );
            }
        }
    }
}

/// `AdditionalProperties` of a shape.
pub fn additional(w: &mut Writer, paths: &[Path]) {
    w.element("t:AdditionalProperties", &[], |w| {
        paths.iter().for_each(|path| path.write(w))
    });
}
