//! The SyncFolderItems operation: what changed in one folder since a state.
//!
//! Source: "SyncFolderItems operation", "Changes (Items)" and "ReadFlagChange" in the EWS reference.

use super::folder::FolderRef;
use super::writer::Writer;
use super::xml::{Document, Element, Ns, XmlError};
use crate::mailbox::model::{ItemChange, ItemId, ItemRef, ItemVersion};

/// The schema allows no more in one answer.
pub const MAX_CHANGES: usize = 512;

/// Asks for at most `max` changes in `folder` since `state`; without one, from the beginning. Identifiers
/// alone cost the server one call into the store, every further property one more.
pub fn request(w: &mut Writer, folder: FolderRef<'_>, state: Option<&str>, max: usize) {
    w.element("m:SyncFolderItems", &[], |w| {
        w.element("m:ItemShape", &[], |w| w.leaf("t:BaseShape", &[], "IdOnly"));
        w.element("m:SyncFolderId", &[], |w| folder.write(w));
        if let Some(state) = state {
            w.leaf("m:SyncState", &[], state);
        }
        w.leaf(
            "m:MaxChangesReturned",
            &[],
            &max.clamp(1, MAX_CHANGES).to_string(),
        );
    });
}

/// One page.
#[derive(Default)]
pub struct Synced {
    /// The state after it.
    pub state: String,
    /// False where more is ready; absent counts as the end.
    pub last: Option<bool>,
    /// The changes, in the server's order. An item whose read flag alone changed is none.
    pub changes: Vec<ItemChange>,
    /// True where an item came or went, of whatever kind.
    pub stirred: bool,
}

/// Reads one response message. `wanted` names the element of the items that count; `None` takes all: a mail
/// folder holds mail, meeting requests, reports, while a group among the contacts is not a person's card.
///
/// # Errors
/// The answer is damaged.
pub fn read(
    synced: &mut Synced,
    wanted: Option<&str>,
    element: &Element<'_>,
    doc: &mut Document<'_>,
) -> Result<(), XmlError> {
    match element.key() {
        (Ns::Messages, "SyncState") => synced.state = doc.text()?,
        (Ns::Messages, "IncludesLastItemInRange") => {
            let text = doc.text()?;
            synced.last = Some(matches!(text.trim(), "true" | "1"));
        }
        (Ns::Messages, "Changes") => {
            while let Some(change) = doc.child()? {
                synced.stirred |= matches!(change.key(), (Ns::Types, "Create" | "Delete"));
                match change.key() {
                    (Ns::Types, "Create" | "Update") => synced.changes.extend(upserted(wanted, doc)?),
                    (Ns::Types, "Delete") => synced.changes.extend(deleted(doc)?),
                    _ => doc.skip()?,
                }
            }
        }
        _ => doc.skip()?,
    }
    Ok(())
}

fn upserted(wanted: Option<&str>, doc: &mut Document<'_>) -> Result<Option<ItemChange>, XmlError> {
    let mut found = None;
    while let Some(item) = doc.child()? {
        let counts = wanted.is_none_or(|wanted| item.key().1 == wanted);
        while let Some(element) = doc.child()? {
            found = found.or_else(|| item_id(&element).filter(|_| counts));
            doc.skip()?;
        }
    }
    Ok(found.map(ItemChange::Upserted))
}

fn deleted(doc: &mut Document<'_>) -> Result<Option<ItemChange>, XmlError> {
    let mut found = None;
    while let Some(element) = doc.child()? {
        found = found.or_else(|| item_id(&element));
        doc.skip()?;
    }
    Ok(found.map(|item| ItemChange::Deleted(item.id)))
}

/// The identifier and the version that an `ItemId` element carries.
pub fn item_id(element: &Element<'_>) -> Option<ItemRef> {
    if element.key() != (Ns::Types, "ItemId") {
        return None;
    }
    let id = ItemId(element.attribute("Id")?);
    Some(ItemRef {
        id,
        version: ItemVersion(element.attribute("ChangeKey").unwrap_or_default()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::exchange::wire::answer;

    /// After the sample on "SyncFolderItems operation", with a deletion and a read flag added.
    const ANSWER: &str = r#"<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>
      <SyncFolderItemsResponse xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"
        xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" xmlns="http://schemas.microsoft.com/exchange/services/2006/messages">
        <m:ResponseMessages><m:SyncFolderItemsResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>
          <m:SyncState>H4sIAAA=</m:SyncState><m:IncludesLastItemInRange>false</m:IncludesLastItemInRange>
          <m:Changes>
            <t:Create><t:Message><t:ItemId Id="AS4AUnV=" ChangeKey="CQAAABY" /></t:Message></t:Create>
            <t:Update><t:MeetingRequest><t:ItemId Id="Bb" ChangeKey="2"/></t:MeetingRequest></t:Update>
            <t:Delete><t:ItemId Id="Cc" ChangeKey="3"/></t:Delete>
            <t:ReadFlagChange><t:ItemId Id="Dd" ChangeKey="4"/><t:IsRead>true</t:IsRead></t:ReadFlagChange>
          </m:Changes></m:SyncFolderItemsResponseMessage></m:ResponseMessages></SyncFolderItemsResponse></soap:Body></soap:Envelope>"#;

    #[test]
    fn a_page_of_changes_is_read_and_a_changed_read_flag_is_no_change() -> Result<(), XmlError> {
        let answer = answer::read(ANSWER, |synced, element, doc| read(synced, None, element, doc))?;
        let pages: Vec<Synced> = answer.outcome.into_iter().flatten().flatten().collect();
        let [page] = pages.as_slice() else {
            panic!("one page")
        };
        assert_eq!((page.state.as_str(), page.last), ("H4sIAAA=", Some(false)));
        let upserted = |id: &str, version: &str| {
            ItemChange::Upserted(ItemRef {
                id: ItemId(id.to_owned()),
                version: ItemVersion(version.to_owned()),
            })
        };
        assert_eq!(
            page.changes,
            [
                upserted("AS4AUnV=", "CQAAABY"),
                upserted("Bb", "2"),
                ItemChange::Deleted(ItemId("Cc".to_owned()))
            ]
        );
        Ok(())
    }
}
