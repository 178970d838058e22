//! Files on things: what is attached to an item hangs on its record, once.

use super::people::{PAPERS, paper};
use super::things::Thing;
use super::world::World;
use holdfast::crm::model::CrmId;
use std::collections::BTreeSet;

impl World {
    /// What hangs on a record.
    fn hanging(&self, CrmId(record): &CrmId) -> Vec<usize> {
        let salesforce = &self.office.lab.parts.salesforce;
        let links = salesforce.living("ContentDocumentLink", "LinkedEntityId", record);
        links
            .iter()
            .filter_map(|link| {
                let document = link["ContentDocumentId"].as_str()?;
                let document = salesforce.living("ContentDocument", "Id", document).pop()?;
                let title = document["Title"].as_str()?;
                (0..PAPERS).find(|file| paper(*file).starts_with(title))
            })
            .collect()
    }

    /// What is attached to an item hangs on its record, once, and nothing that never was.
    ///
    /// # Errors
    /// What does not hold.
    pub async fn judge_papers(&self, thing: &Thing, here: bool, there: bool) -> Result<(), String> {
        let way = self.way((thing.row, thing.kind));
        let goes = self.policies[thing.row].attachments.takes(thing.kind);
        if self.apart || !goes || !there || thing.hidden {
            return Ok(());
        }
        let Some(record) = self.record_of(thing).await else {
            return Ok(());
        };
        let hangs = self.hanging(&record);
        let distinct: BTreeSet<usize> = hangs.iter().copied().collect();
        let strange = !distinct.is_subset(&thing.papers) || distinct.len() != hangs.len();
        let linked = here && thing.is_one(way);
        let item = self.item(thing).filter(|_| linked);
        let due = item.map(|item| self.papers_on(&item)).unwrap_or_default();
        match strange || !due.is_subset(&distinct) {
            true => Err(format!(
                "{thing:?}: {due:?} are attached and {hangs:?} hang in the CRM"
            )),
            false => Ok(()),
        }
    }
}
