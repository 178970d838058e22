//! A lab with two people, and a SOAP client that knows nothing of it but its address.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use holdfast_lab::cast::Person;
use holdfast_lab::{Lab, Options};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// The namespaces of requests, as attributes.
const SPACES: &str = "xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
    xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\" \
    xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\"";

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: http::HeaderMap,
    pub text: String,
}

impl Answer {
    /// The texts of all elements of a name, prefix included.
    pub fn texts(&self, name: &str) -> Vec<String> {
        texts(&self.text, name)
    }

    /// The response codes, in order; a fault has one.
    pub fn codes(&self) -> Vec<String> {
        let prefix = if self.status.is_success() { "m" } else { "e" };
        let open = format!("<{prefix}:ResponseCode");
        let codes = self.text.split(&open).skip(1);
        codes
            .map(|rest| {
                let rest = rest.split_once('>').map_or("", |(_, rest)| rest);
                rest.split('<').next().unwrap_or_default().to_owned()
            })
            .collect()
    }

    /// The values of an attribute of all elements of a name.
    pub fn attributes(&self, name: &str, attribute: &str) -> Vec<String> {
        attributes(&self.text, name, attribute)
    }

    /// The ids of the items in it.
    pub fn ids(&self) -> Vec<String> {
        self.attributes("t:ItemId", "Id")
    }

    /// Id and change key of the only item in it, as attributes.
    pub fn item(&self) -> String {
        let (ids, keys) = (self.ids(), self.attributes("t:ItemId", "ChangeKey"));
        assert_eq!(ids.len(), 1, "{}", self.text);
        format!("Id=\"{}\" ChangeKey=\"{}\"", ids[0], keys[0])
    }

    /// This answer, which must be a success throughout.
    pub fn good(self) -> Answer {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        assert!(self.codes().iter().all(|code| code == "NoError"), "{}", self.text);
        self
    }
}

/// The texts of all elements of a name that have no attributes.
pub fn texts(text: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    text.split(&open)
        .skip(1)
        .map(|rest| rest.split(&close).next().unwrap_or_default().to_owned())
        .collect()
}

/// The values of an attribute of all elements of a name.
pub fn attributes(text: &str, name: &str, attribute: &str) -> Vec<String> {
    let (open, key) = (format!("<{name} "), format!("{attribute}=\""));
    let elements = text.split(&open).skip(1);
    elements
        .filter_map(|rest| {
            let head = format!(" {}", rest.split('>').next()?);
            let (_, value) = head.split_once(&format!(" {key}"))?;
            Some(value.split('"').next()?.to_owned())
        })
        .collect()
}

/// A lab and its address.
pub struct Office {
    pub lab: Lab,
}

impl Office {
    /// A lab with little in it.
    pub async fn new() -> Office {
        Office::with(Options {
            people: 3,
            items_per_person: 20,
            ..Options::default()
        })
        .await
    }

    /// A lab set up so.
    pub async fn with(options: Options) -> Office {
        let lab = holdfast_lab::start(options).await.expect("the lab starts");
        Office { lab }
    }

    /// One of the people.
    pub fn person(&self, index: usize) -> &Person {
        &self.lab.cast.people[index]
    }

    fn url(&self) -> &str {
        let url = self.lab.exchange_http_url.as_deref();
        url.expect("the lab has a listener in plain")
    }

    /// An operation in a person's name.
    pub async fn ask(&self, person: usize, operation: &str) -> Answer {
        self.try_ask(person, operation).await.expect("the server answers")
    }

    /// The same; `None` if the connection was cut.
    pub async fn try_ask(&self, person: usize, operation: &str) -> Option<Answer> {
        let person = self.person(person);
        let header = version("Exchange2016");
        self.send(
            Some((&person.login, &person.password)),
            &envelope(&header, operation),
        )
        .await
    }

    /// An operation by the service account in the name of whom the `ConnectingSID` names.
    pub async fn ask_as(&self, connecting: &str, operation: &str) -> Answer {
        let (login, password) = &self.lab.service_account;
        self.ask_for(login, password, connecting, operation).await
    }

    /// An operation by one account in another's name.
    pub async fn ask_for(&self, login: &str, password: &str, connecting: &str, operation: &str) -> Answer {
        let header = format!(
            "{}<t:ExchangeImpersonation><t:ConnectingSID>{connecting}</t:ConnectingSID></t:ExchangeImpersonation>",
            version("Exchange2016")
        );
        self.send(Some((login, password)), &envelope(&header, operation))
            .await
            .expect("the server answers")
    }

    /// A whole envelope; `None` if the connection was cut.
    pub async fn send(&self, account: Option<(&str, &str)>, envelope: &str) -> Option<Answer> {
        let response = self.open(Method::POST, account, envelope.to_owned()).await?;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.ok()?.to_bytes();
        Some(Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).expect("answers are UTF-8"),
        })
    }

    /// A request whose answer's body is not read yet.
    pub async fn open(
        &self,
        method: Method,
        account: Option<(&str, &str)>,
        body: String,
    ) -> Option<Response<Incoming>> {
        let url = url::Url::parse(self.url()).expect("the lab's address is one");
        let (host, port) = (url.host_str().expect("a host"), url.port().expect("a port"));
        let stream = TcpStream::connect((host, port)).await.ok()?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .ok()?;
        tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(url.path())
            .header("host", host)
            .header("content-type", "text/xml; charset=utf-8");
        if let Some((login, password)) = account {
            let basic = STANDARD.encode(format!("{login}:{password}"));
            request = request.header("authorization", format!("Basic {basic}"));
        }
        let request = request.body(Full::new(Bytes::from(body))).expect("a request");
        sender.send_request(request).await.ok()
    }

    /// Creates one item in a folder and gives the answer, which is good.
    pub async fn create(&self, person: usize, folder: &str, item: &str) -> Answer {
        self.ask(person, &create(folder, item)).await.good()
    }

    /// Reads one item whole.
    pub async fn read(&self, person: usize, item: &str) -> Answer {
        self.ask(person, &get(&format!("<t:ItemId {item}/>"))).await
    }
}

/// The RequestServerVersion header.
pub fn version(version: &str) -> String {
    format!("<t:RequestServerVersion Version=\"{version}\"/>")
}

/// An envelope around a header's children and an operation.
pub fn envelope(header: &str, operation: &str) -> String {
    format!("<s:Envelope {SPACES}><s:Header>{header}</s:Header><s:Body>{operation}</s:Body></s:Envelope>")
}

/// CreateItem that tells nobody.
pub fn create(folder: &str, items: &str) -> String {
    format!(
        "<m:CreateItem MessageDisposition=\"SaveOnly\" SendMeetingInvitations=\"SendToNone\"><m:SavedItemFolderId>\
         <t:DistinguishedFolderId Id=\"{folder}\"/></m:SavedItemFolderId><m:Items>{items}</m:Items></m:CreateItem>"
    )
}

/// GetItem with all properties.
pub fn get(ids: &str) -> String {
    format!(
        "<m:GetItem><m:ItemShape><t:BaseShape>AllProperties</t:BaseShape></m:ItemShape>\
         <m:ItemIds>{ids}</m:ItemIds></m:GetItem>"
    )
}

/// UpdateItem that sets one property.
pub fn set(resolution: &str, item: &str, uri: &str, element: &str) -> String {
    format!(
        "<m:UpdateItem ConflictResolution=\"{resolution}\" MessageDisposition=\"SaveOnly\" \
         SendMeetingInvitationsOrCancellations=\"SendToNone\"><m:ItemChanges><t:ItemChange><t:ItemId {item}/>\
         <t:Updates><t:SetItemField><t:FieldURI FieldURI=\"{uri}\"/>{element}</t:SetItemField></t:Updates>\
         </t:ItemChange></m:ItemChanges></m:UpdateItem>"
    )
}

/// DeleteItem for good, telling nobody.
pub fn delete(item: &str) -> String {
    format!(
        "<m:DeleteItem DeleteType=\"HardDelete\" SendMeetingCancellations=\"SendToNone\" \
         AffectedTaskOccurrences=\"AllOccurrences\"><m:ItemIds><t:ItemId {item}/></m:ItemIds></m:DeleteItem>"
    )
}

/// A mail with a subject.
pub fn message(subject: &str) -> String {
    format!("<t:Message><t:Subject>{subject}</t:Subject></t:Message>")
}
