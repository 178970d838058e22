//! The GetStreamingEvents operation: one open answer with an envelope for each piece of news.
//!
//! Source: "GetStreamingEvents operation", "Notifications", "ConnectionStatus" and "ErrorSubscriptionIds" in the
//! EWS reference. The events carry more (item identifiers, times); they are hints and nothing else is read.

use super::answer::{self, Fault};
use super::writer::Writer;
use super::xml::{Document, Ns, XmlError};

/// The schema allows no more in one request.
pub const MAX_SUBSCRIPTIONS: usize = 200;

/// Opens the stream of these subscriptions for so many minutes, 1 to 30.
pub fn request<'a>(w: &mut Writer, subscriptions: impl Iterator<Item = &'a str>, minutes: u32) {
    w.element("m:GetStreamingEvents", &[], |w| {
        w.element("m:SubscriptionIds", &[], |w| {
            for id in subscriptions {
                w.leaf("t:SubscriptionId", &[], id);
            }
        });
        w.leaf("m:ConnectionTimeout", &[], &minutes.clamp(1, 30).to_string());
    });
}

/// What one envelope says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Where something happened: the subscription, and the folder's identifier. A folder of which something was
    /// said several times stands here several times.
    pub touched: Vec<(String, String)>,
    /// True where the server ends the stream.
    pub closed: bool,
    /// Why it cannot go on.
    pub fault: Option<Fault>,
    /// The subscriptions that it cannot go on with.
    pub lost: Vec<String>,
}

/// Reads one envelope.
///
/// # Errors
/// It is damaged.
pub fn read(text: &str) -> Result<Told, XmlError> {
    let mut told = Told::default();
    let answer = answer::read(text, |(): &mut (), element, doc| {
        match element.key() {
            (Ns::Messages, "Notifications") => {
                while doc.child()?.is_some() {
                    notification(&mut told.touched, doc)?;
                }
            }
            (Ns::Messages, "ErrorSubscriptionIds") => {
                while doc.child()?.is_some() {
                    told.lost.push(doc.text()?.trim().to_owned());
                }
            }
            (Ns::Messages, "ConnectionStatus") => told.closed = doc.text()?.trim() == "Closed",
            _ => doc.skip()?,
        }
        Ok(())
    })?;
    told.fault = match answer.outcome {
        Ok(messages) => messages.into_iter().find_map(Result::err),
        Err(fault) => Some(fault),
    };
    Ok(told)
}

fn notification(touched: &mut Vec<(String, String)>, doc: &mut Document<'_>) -> Result<(), XmlError> {
    let mut subscription = String::new();
    while let Some(element) = doc.child()? {
        match element.key() {
            (Ns::Types, "SubscriptionId") => subscription = doc.text()?.trim().to_owned(),
            (Ns::Types, name) if name.ends_with("Event") => {
                while let Some(part) = doc.child()? {
                    if let (Ns::Types, "ParentFolderId" | "OldParentFolderId") = part.key()
                        && let Some(folder) = part.attribute("Id")
                    {
                        touched.push((subscription.clone(), folder));
                    }
                    doc.skip()?;
                }
            }
            _ => doc.skip()?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After the samples on "GetStreamingEvents operation", with a move added.
    const NEWS: &str = r#"<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><soap11:Header xmlns:soap11="http://schemas.xmlsoap.org/soap/envelope/"/>
      <soap11:Body xmlns:soap11="http://schemas.xmlsoap.org/soap/envelope/"><m:GetStreamingEventsResponse
        xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages">
        <m:ResponseMessages><m:GetStreamingEventsResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>
          <m:Notifications><m:Notification><t:SubscriptionId>f6bc657d</t:SubscriptionId>
            <t:CreatedEvent><t:TimeStamp>2013-09-16T04:31:29Z</t:TimeStamp><t:ItemId Id="a" ChangeKey="c"/><t:ParentFolderId Id="inbox" ChangeKey="d"/></t:CreatedEvent>
            <t:MovedEvent><t:TimeStamp>2013-09-16T04:31:29Z</t:TimeStamp><t:ItemId Id="b" ChangeKey="c"/><t:ParentFolderId Id="bin" ChangeKey="d"/>
              <t:OldItemId Id="a" ChangeKey="c"/><t:OldParentFolderId Id="tasks" ChangeKey="d"/></t:MovedEvent>
          </m:Notification></m:Notifications></m:GetStreamingEventsResponseMessage></m:ResponseMessages></m:GetStreamingEventsResponse></soap11:Body></Envelope>"#;

    #[test]
    fn news_names_the_subscription_and_each_folder_that_was_touched() -> Result<(), XmlError> {
        let told = read(NEWS)?;
        let pairs: Vec<_> = told
            .touched
            .iter()
            .map(|(id, folder)| (id.as_str(), folder.as_str()))
            .collect();
        assert_eq!(
            pairs,
            [("f6bc657d", "inbox"), ("f6bc657d", "bin"), ("f6bc657d", "tasks")]
        );
        assert!(!told.closed && told.fault.is_none());
        Ok(())
    }

    const LOST: &str = r#"<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><m:GetStreamingEventsResponse
        xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"><m:ResponseMessages>
        <m:GetStreamingEventsResponseMessage ResponseClass="Error"><m:MessageText>Not found.</m:MessageText>
          <m:ResponseCode>ErrorSubscriptionNotFound</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>
          <m:ErrorSubscriptionIds><m:SubscriptionId>one</m:SubscriptionId><m:SubscriptionId>two</m:SubscriptionId></m:ErrorSubscriptionIds>
          <m:ConnectionStatus>Closed</m:ConnectionStatus></m:GetStreamingEventsResponseMessage></m:ResponseMessages></m:GetStreamingEventsResponse></Body></Envelope>"#;

    #[test]
    fn a_stream_that_cannot_go_on_names_the_subscriptions_that_are_lost() -> Result<(), XmlError> {
        let told = read(LOST)?;
        assert_eq!(told.lost, ["one", "two"]);
        assert!(told.closed);
        assert_eq!(
            told.fault.map(|fault| fault.code).as_deref(),
            Some("ErrorSubscriptionNotFound")
        );
        Ok(())
    }
}
