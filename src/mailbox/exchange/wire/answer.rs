//! What every answer has in common: the envelope, a fault or a list of response messages, and their codes.
//!
//! Source: "ResponseCode", "MessageXml" and the `*ResponseMessage` pages in the EWS reference. A fault's code
//! stands in the errors namespace; faults often come without a header.

use super::version::Build;
use super::xml::{Document, Element, Ns, XmlError};
use std::time::Duration;

/// Why Exchange did not do it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// The response code, such as `ErrorItemNotFound`.
    pub code: String,
    /// The wait that it asks for.
    pub back_off: Option<Duration>,
    /// The code behind the code, where Exchange wraps one.
    pub inner: Option<String>,
}

/// An answer: one entry for each response message, in the order of the request.
pub struct Answer<T> {
    /// Who answered.
    pub build: Option<Build>,
    /// A fault of the whole, or the messages.
    pub outcome: Result<Vec<Result<T, Fault>>, Fault>,
}

/// Reads an answer. `payload` gets every element of a response message that is not common to all; it must
/// consume it.
///
/// # Errors
/// The text is not an answer of EWS, or damaged.
pub fn read<T: Default>(
    text: &str,
    mut payload: impl FnMut(&mut T, &Element<'_>, &mut Document<'_>) -> Result<(), XmlError>,
) -> Result<Answer<T>, XmlError> {
    let mut document = Document::new(text);
    let doc = &mut document;
    match doc.child()? {
        Some(root) if root.key() == (Ns::Soap, "Envelope") => {}
        _ => return Err(XmlError::Missing("the envelope")),
    }
    let mut build = None;
    let mut outcome = None;
    while let Some(part) = doc.child()? {
        match part.key() {
            (Ns::Soap, "Header") => build = header(doc)?,
            (Ns::Soap, "Body") => outcome = body(doc, &mut payload)?,
            _ => doc.skip()?,
        }
    }
    Ok(Answer {
        build,
        outcome: outcome.ok_or(XmlError::Missing("the body"))?,
    })
}

fn header(doc: &mut Document<'_>) -> Result<Option<Build>, XmlError> {
    let mut build = None;
    while let Some(element) = doc.child()? {
        if element.key() == (Ns::Types, "ServerVersionInfo") {
            let number = |name| element.attribute(name).and_then(|value| value.parse().ok());
            build = number("MajorVersion").map(|major| Build {
                major,
                minor: number("MinorVersion").unwrap_or_default(),
                build: number("MajorBuildNumber").unwrap_or_default(),
                revision: number("MinorBuildNumber").unwrap_or_default(),
            });
        }
        doc.skip()?;
    }
    Ok(build)
}

/// The outcome inside of a SOAP body.
type Outcome<T> = Result<Vec<Result<T, Fault>>, Fault>;

fn body<T: Default>(
    doc: &mut Document<'_>,
    payload: &mut impl FnMut(&mut T, &Element<'_>, &mut Document<'_>) -> Result<(), XmlError>,
) -> Result<Option<Outcome<T>>, XmlError> {
    let mut outcome = None;
    while let Some(element) = doc.child()? {
        if element.key() == (Ns::Soap, "Fault") {
            outcome = Some(Err(fault(doc)?));
            continue;
        }
        let mut messages = Vec::new();
        while let Some(list) = doc.child()? {
            if list.key() != (Ns::Messages, "ResponseMessages") {
                doc.skip()?;
                continue;
            }
            while let Some(element) = doc.child()? {
                let class = element.attribute("ResponseClass");
                messages.push(message(doc, class.as_deref(), payload)?);
            }
        }
        outcome = Some(Ok(messages));
    }
    Ok(outcome)
}

fn message<T: Default>(
    doc: &mut Document<'_>,
    class: Option<&str>,
    payload: &mut impl FnMut(&mut T, &Element<'_>, &mut Document<'_>) -> Result<(), XmlError>,
) -> Result<Result<T, Fault>, XmlError> {
    let mut value = T::default();
    let mut fault = Fault::default();
    while let Some(element) = doc.child()? {
        match element.key() {
            (Ns::Messages, "ResponseCode") => fault.code = code(&doc.text()?),
            (Ns::Messages, "MessageXml") => details(doc, &mut fault)?,
            // The text may quote the item, so it is not even read.
            (Ns::Messages, "MessageText" | "DescriptiveLinkKey") => doc.skip()?,
            _ => payload(&mut value, &element, doc)?,
        }
    }
    // A warning comes with a usable answer, but for the one that says that nothing was done.
    let failed = class == Some("Error") || fault.code == "ErrorBatchProcessingStopped";
    Ok(if failed { Err(fault) } else { Ok(value) })
}

fn fault(doc: &mut Document<'_>) -> Result<Fault, XmlError> {
    let mut fault = Fault::default();
    let mut short = String::new();
    while let Some(element) = doc.child()? {
        match element.key().1 {
            "faultcode" => short = doc.text()?,
            "detail" => {
                while let Some(element) = doc.child()? {
                    match element.key() {
                        (Ns::Errors, "ResponseCode") => fault.code = code(&doc.text()?),
                        (Ns::Types, "MessageXml") => details(doc, &mut fault)?,
                        _ => doc.skip()?,
                    }
                }
            }
            _ => doc.skip()?,
        }
    }
    if fault.code.is_empty() {
        fault.code = code(short.rsplit(':').next().unwrap_or_default());
    }
    Ok(fault)
}

/// `<t:Value Name="…">` entries; others, such as the place of a schema violation, are passed over.
fn details(doc: &mut Document<'_>, fault: &mut Fault) -> Result<(), XmlError> {
    while let Some(element) = doc.child()? {
        match element.attribute("Name").as_deref() {
            Some("BackOffMilliseconds") => {
                fault.back_off = doc.text()?.trim().parse().ok().map(Duration::from_millis);
            }
            Some("InnerErrorResponseCode") => fault.inner = Some(code(&doc.text()?)),
            _ => doc.skip()?,
        }
    }
    Ok(())
}

/// A code as it may be logged and stored: a word of the protocol, whatever the other side really sent.
fn code(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii_alphanumeric)
        .take(100)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing(_: &mut (), _: &Element<'_>, doc: &mut Document<'_>) -> Result<(), XmlError> {
        doc.skip()
    }

    /// After the sample on "EWS throttling in Exchange".
    const BUSY: &str = r#"<?xml version="1.0"?>
        <s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>
          <faultcode xmlns:a="http://schemas.microsoft.com/exchange/services/2006/types">a:ErrorServerBusy</faultcode>
          <faultstring xml:lang="en-US">The server cannot service this request right now. Try again later.</faultstring>
          <detail>
            <e:ResponseCode xmlns:e="http://schemas.microsoft.com/exchange/services/2006/errors">ErrorServerBusy</e:ResponseCode>
            <e:Message xmlns:e="http://schemas.microsoft.com/exchange/services/2006/errors">Try again later.</e:Message>
            <t:MessageXml xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">
              <t:Value Name="BackOffMilliseconds">297749</t:Value>
            </t:MessageXml>
          </detail></s:Fault></s:Body></s:Envelope>"#;

    #[test]
    fn a_busy_servers_fault_tells_how_long_to_wait() -> Result<(), XmlError> {
        let answer = read(BUSY, nothing)?;
        let expected = Fault {
            code: "ErrorServerBusy".to_owned(),
            back_off: Some(Duration::from_millis(297_749)),
            inner: None,
        };
        assert_eq!(answer.outcome, Err(expected));
        Ok(())
    }

    /// After the sample on "GetItem operation", with a second message added.
    const MIXED: &str = r#"<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Header>
          <t:ServerVersionInfo MajorVersion="15" MinorVersion="2" MajorBuildNumber="2562" MinorBuildNumber="17"
            xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" /></soap:Header>
        <soap:Body><GetItemResponse xmlns="http://schemas.microsoft.com/exchange/services/2006/messages"><ResponseMessages>
          <GetItemResponseMessage ResponseClass="Success"><ResponseCode>NoError</ResponseCode><Items/></GetItemResponseMessage>
          <GetItemResponseMessage ResponseClass="Error"><MessageText>The object was not found.</MessageText>
            <ResponseCode>ErrorItemNotFound</ResponseCode><DescriptiveLinkKey>0</DescriptiveLinkKey><Items/></GetItemResponseMessage>
        </ResponseMessages></GetItemResponse></soap:Body></soap:Envelope>"#;

    #[test]
    fn one_failed_message_does_not_fail_its_neighbours() -> Result<(), XmlError> {
        let answer = read(MIXED, nothing)?;
        assert_eq!(
            answer.build.map(|build| (build.minor, build.build)),
            Some((2, 2562))
        );
        let outcomes: Vec<_> = answer
            .outcome
            .into_iter()
            .flatten()
            .map(|message| message.map_err(|fault| fault.code))
            .collect();
        assert_eq!(outcomes, [Ok(()), Err("ErrorItemNotFound".to_owned())]);
        Ok(())
    }

    #[test]
    fn a_page_of_html_is_not_taken_for_an_answer() {
        assert!(read("<html><body>Sign in</body></html>", nothing).is_err());
    }
}
