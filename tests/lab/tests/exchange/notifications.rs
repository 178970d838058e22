//! Subscriptions: streamed and pulled.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::Method;
use hyper::body::Incoming;

use crate::office::{Office, attributes, envelope, message, texts, version};

const EVENTS: &str = "<t:FolderIds><t:DistinguishedFolderId Id=\"inbox\"/></t:FolderIds><t:EventTypes>\
    <t:EventType>CreatedEvent</t:EventType><t:EventType>ModifiedEvent</t:EventType></t:EventTypes>";

const PULL: &str = "<t:Timeout>10</t:Timeout>";

fn subscribe(kind: &str, rest: &str) -> String {
    format!(
        "<m:Subscribe><m:{kind}SubscriptionRequest>{EVENTS}{rest}</m:{kind}SubscriptionRequest></m:Subscribe>"
    )
}

fn listen(id: &str) -> String {
    format!(
        "<m:GetStreamingEvents><m:SubscriptionIds><t:SubscriptionId>{id}</t:SubscriptionId></m:SubscriptionIds>\
         <m:ConnectionTimeout>1</m:ConnectionTimeout></m:GetStreamingEvents>"
    )
}

/// The next part of a stream.
async fn next(body: &mut Incoming) -> String {
    let frame = tokio::time::timeout(Duration::from_secs(20), body.frame()).await;
    let frame = frame.expect("the stream speaks in time").expect("it is open");
    let data = frame.expect("it is whole").into_data().expect("it is no trailer");
    String::from_utf8(data.to_vec()).unwrap()
}

async fn stream(office: &Office, id: &str) -> Incoming {
    let person = office.person(0);
    let request = envelope(&version("Exchange2016"), &listen(id));
    office
        .open(Method::POST, Some((&person.login, &person.password)), request)
        .await
        .unwrap()
        .into_body()
}

#[tokio::test]
async fn a_stream_tells_of_each_new_item_in_an_envelope_of_its_own() {
    let office = Office::new().await;
    let subscribed = office.ask(0, &subscribe("Streaming", "")).await.good();
    let id = subscribed.texts("m:SubscriptionId")[0].clone();
    let mut body = stream(&office, &id).await;
    let first = next(&mut body).await;
    assert!(
        first.starts_with("<Envelope ") && first.ends_with("</Envelope>"),
        "{first}"
    );
    assert_eq!(texts(&first, "m:ConnectionStatus"), ["OK"]);
    for subject in ["A", "B"] {
        let made = office.create(0, "inbox", &message(subject)).await;
        let told = next(&mut body).await;
        assert_eq!(told.matches("<Envelope ").count(), 1);
        assert_eq!(attributes(&told, "t:ItemId", "Id"), made.ids());
    }
}

#[tokio::test]
async fn a_stream_for_an_unknown_subscription_names_it_and_closes() {
    let office = Office::new().await;
    let mut body = stream(&office, "nothing").await;
    let only = next(&mut body).await;
    assert_eq!(texts(&only, "m:ResponseCode"), ["ErrorSubscriptionNotFound"]);
    assert!(only.contains("nothing"));
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn a_pulled_event_comes_once_for_each_watermark() {
    let office = Office::new().await;
    let subscribed = office.ask(0, &subscribe("Pull", PULL)).await.good();
    let id = subscribed.texts("m:SubscriptionId")[0].clone();
    let pull = |mark: &str| {
        format!(
            "<m:GetEvents><m:SubscriptionId>{id}</m:SubscriptionId><m:Watermark>{mark}</m:Watermark></m:GetEvents>"
        )
    };
    let made = office.create(0, "inbox", &message("A")).await;
    let told = office
        .ask(0, &pull(&subscribed.texts("m:Watermark")[0]))
        .await
        .good();
    assert_eq!(told.ids(), made.ids());
    let marks = told.texts("t:Watermark");
    let after = office.ask(0, &pull(marks.last().unwrap())).await.good();
    assert!(after.ids().is_empty() && after.text.contains("<t:StatusEvent>"));
    let end = format!("<m:Unsubscribe><m:SubscriptionId>{id}</m:SubscriptionId></m:Unsubscribe>");
    office.ask(0, &end).await.good();
    let gone = office.ask(0, &pull(&marks[0])).await;
    assert_eq!(gone.codes(), ["ErrorSubscriptionNotFound"]);
}
