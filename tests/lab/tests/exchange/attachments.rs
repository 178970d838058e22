//! CreateAttachment, GetAttachment, DeleteAttachment.

use crate::office::{Office, message};

#[tokio::test]
async fn a_files_bytes_come_back_and_its_item_has_another_change_key() {
    let office = Office::new().await;
    let made = office.create(0, "drafts", &message("A")).await.item();
    let attach = format!(
        "<m:CreateAttachment><m:ParentItemId {made}/><m:Attachments><t:FileAttachment><t:Name>a.bin</t:Name>\
         <t:Content>AAEC</t:Content></t:FileAttachment></m:Attachments></m:CreateAttachment>"
    );
    let attached = office.ask(0, &attach).await.good();
    let id = attached.attributes("t:AttachmentId", "Id")[0].clone();
    let root = attached.attributes("t:AttachmentId", "RootItemChangeKey");
    assert!(!made.contains(&root[0]), "the item's change key is another one");
    let ids = format!("<m:AttachmentIds><t:AttachmentId Id=\"{id}\"/></m:AttachmentIds>");
    let get = format!("<m:GetAttachment>{ids}</m:GetAttachment>");
    let got = office.ask(0, &get).await.good();
    assert_eq!(got.texts("t:Content"), ["AAEC"]);
    assert_eq!(got.texts("t:Name"), ["a.bin"]);
    assert_eq!(
        office.read(0, &made).await.good().texts("t:HasAttachments"),
        ["true"]
    );

    let delete = format!("<m:DeleteAttachment>{ids}</m:DeleteAttachment>");
    office.ask(0, &delete).await.good();
    assert_ne!(office.ask(0, &get).await.codes(), ["NoError"]);
    assert_eq!(
        office.read(0, &made).await.good().texts("t:HasAttachments"),
        ["false"]
    );
}
