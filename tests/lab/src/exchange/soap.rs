//! SOAP envelopes: what a request's header asks for, and the two forms of an answer.
//!
//! Faults go out with HTTP 500 and without a header; clients must not need one. In the detail,
//! ResponseCode and Message are of the errors namespace, MessageXml of the types namespace.

use super::refusal::Refusal;
use super::version::{Build, Version};
use super::xml::read::{Element, Ns};
use super::xml::write::Writer;
use super::xml::{ERRORS, MESSAGES, SOAP, TYPES};
use super::zone::Zone;

/// A request taken apart.
pub struct Request<'a> {
    /// The schema that the client wants.
    pub version: Version,
    /// The ConnectingSID's only child: how the mailbox is named.
    pub impersonated: Option<&'a Element>,
    /// The zone of times without an offset.
    pub zone: Option<Zone>,
    /// The operation's element.
    pub operation: &'a Element,
}

impl Request<'_> {
    /// Takes an envelope apart.
    ///
    /// # Errors
    /// It is no SOAP 1.1 envelope with one operation, or the header asks for what the build does
    /// not have.
    pub fn read(envelope: &Element, build: Build) -> Result<Request<'_>, Refusal> {
        if envelope.ns != Ns::Soap || envelope.name != "Envelope" {
            return Err(Refusal::schema(format!(
                "Expected element 'Envelope' in namespace '{SOAP}'."
            )));
        }
        let body = envelope
            .child(Ns::Soap, "Body")
            .ok_or_else(|| Refusal::missing("Body"))?;
        let operation = match body.children.as_slice() {
            [operation] if operation.ns == Ns::Messages => operation,
            _ => return Err(Refusal::schema("The SOAP body must hold one operation.")),
        };
        let header = envelope.child(Ns::Soap, "Header");
        let part = |name| header.and_then(|header| header.t(name));
        let impersonated = match part("ExchangeImpersonation") {
            Some(impersonation) => {
                let sid = impersonation
                    .t("ConnectingSID")
                    .ok_or_else(|| Refusal::missing("ConnectingSID"))?;
                Some(
                    sid.children
                        .first()
                        .ok_or_else(|| Refusal::missing("PrincipalName"))?,
                )
            }
            None => None,
        };
        let zone = part("TimeZoneContext").and_then(|context| context.t("TimeZoneDefinition"));
        Ok(Request {
            version: version(part("RequestServerVersion"), build)?,
            impersonated,
            zone: zone.map(super::read::zone),
            operation,
        })
    }
}

/// A missing header means the oldest schema, as the documentation of RequestServerVersion says.
fn version(asked: Option<&Element>, build: Build) -> Result<Version, Refusal> {
    let Some(asked) = asked else {
        return Ok(Version::E2007);
    };
    let name = asked.attribute("Version").unwrap_or("Exchange2007_SP1");
    // A value outside the server's schema is a bad request, not a bad version (exchangelib #927).
    let version =
        Version::parse(name).ok_or_else(|| Refusal::new("ErrorInvalidRequest", "The request is invalid."))?;
    if version > build.newest() {
        return Err(Refusal::new(
            "ErrorInvalidServerVersion",
            "The specified server version is invalid.",
        ));
    }
    Ok(version)
}

/// The envelope of a response.
pub fn envelope(build: Build, body: &str) -> String {
    let mut writer = Writer::new();
    writer.raw("<?xml version=\"1.0\" encoding=\"utf-8\"?>");
    writer.open_with("s:Envelope", &[("xmlns:s", SOAP)]);
    writer.open("s:Header");
    server_version(&mut writer, build);
    writer.close("s:Header");
    writer.open_with("s:Body", &[("xmlns:m", MESSAGES), ("xmlns:t", TYPES)]);
    writer.raw(body);
    writer.close("s:Body");
    writer.close("s:Envelope");
    writer.finish()
}

/// The envelope of one streamed response: without a prefix, as Exchange writes it and as
/// ews-javascript-api looks for it.
pub fn streamed_envelope(build: Build, body: &str) -> String {
    let mut writer = Writer::new();
    writer.open_with("Envelope", &[("xmlns", SOAP)]);
    writer.open("Header");
    server_version(&mut writer, build);
    writer.close("Header");
    writer.open_with("Body", &[("xmlns:m", MESSAGES), ("xmlns:t", TYPES)]);
    writer.raw(body);
    writer.close("Body");
    writer.close("Envelope");
    writer.finish()
}

fn server_version(writer: &mut Writer, build: Build) {
    let [major, minor, number, revision] = build.numbers().map(|number| number.to_string());
    let attributes = [
        ("MajorVersion", major.as_str()),
        ("MinorVersion", &minor),
        ("MajorBuildNumber", &number),
        ("MinorBuildNumber", &revision),
        ("Version", build.schema_name()),
        ("xmlns:h", TYPES),
        ("xmlns", TYPES),
    ];
    writer.empty("h:ServerVersionInfo", &attributes);
}

/// The envelope of a fault.
pub fn fault(refusal: &Refusal) -> String {
    let mut writer = Writer::new();
    writer.raw("<?xml version=\"1.0\" encoding=\"utf-8\"?>");
    writer.open_with("s:Envelope", &[("xmlns:s", SOAP)]);
    writer.open("s:Body");
    writer.open("s:Fault");
    writer.leaf_with("faultcode", &[("xmlns:a", TYPES)], &format!("a:{}", refusal.code));
    writer.leaf_with("faultstring", &[("xml:lang", "en-US")], &refusal.text);
    writer.open("detail");
    writer.leaf_with("e:ResponseCode", &[("xmlns:e", ERRORS)], refusal.code);
    writer.leaf_with("e:Message", &[("xmlns:e", ERRORS)], &refusal.text);
    if !refusal.values.is_empty() {
        writer.open_with("t:MessageXml", &[("xmlns:t", TYPES)]);
        for (name, value) in &refusal.values {
            match *name {
                "LineNumber" | "LinePosition" | "Violation" => writer.leaf(&format!("t:{name}"), value),
                _ => writer.leaf_with("t:Value", &[("Name", name)], value),
            }
        }
        writer.close("t:MessageXml");
    }
    writer.close("detail");
    writer.close("s:Fault");
    writer.close("s:Body");
    writer.close("s:Envelope");
    writer.finish()
}
