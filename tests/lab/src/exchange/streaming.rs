//! GetStreamingEvents: one open answer, whole envelopes in it, each in a flush of its own.
//!
//! Source: "GetStreamingEvents operation", "Stream notifications from a mailbox by using EWS in Exchange".

use super::context::Context;
use super::event::Event;
use super::front::xml;
use super::ops::notifications::write_events;
use super::refusal::Refusal;
use super::soap;
use super::subscription::Subscription;
use super::xml::read::Element;
use super::xml::write::Writer;
use crate::http::Reply;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, interval_at, sleep_until};

/// Between two signs of life; the Managed API gives a connection up after 90 seconds.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Opens the stream.
pub fn open(cx: Context, request: &Element) -> Reply {
    let (ids, minutes) = match asked(request) {
        Ok(asked) => asked,
        Err(refusal) => return Reply::Full(xml(StatusCode::INTERNAL_SERVER_ERROR, soap::fault(&refusal))),
    };
    let now = cx.world.now();
    let bad: Vec<String> = ids
        .iter()
        .filter(|id| cx.cursors_lost || cx.world.subscriptions.get(id, now).is_none())
        .cloned()
        .collect();
    let (to, receiver) = mpsc::channel::<Bytes>(64);
    let cuts = cx.world.cuts();
    tokio::spawn(async move {
        if bad.is_empty() {
            let first = message(&cx, Some("OK"), |_| {});
            if to.send(first).await.is_ok() {
                run(&cx, &ids, Duration::from_secs(minutes * 60), &to, cuts).await;
            }
        } else {
            // One bad id spoils the whole group.
            let _ = to.send(refused(&cx, "ErrorSubscriptionNotFound", &bad)).await;
        }
    });
    let mut response = Response::new(receiver);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=utf-8"));
    Reply::Stream(response)
}

fn asked(request: &Element) -> Result<(Vec<String>, u64), Refusal> {
    let ids = request
        .m("SubscriptionIds")
        .ok_or_else(|| Refusal::missing("SubscriptionIds"))?;
    let ids: Vec<String> = ids.children.iter().map(|id| id.text.trim().to_owned()).collect();
    let minutes = request
        .m_text("ConnectionTimeout")
        .ok_or_else(|| Refusal::missing("ConnectionTimeout"))?
        .trim();
    match minutes.parse() {
        Ok(number @ 1..=30) if (1..=200).contains(&ids.len()) => Ok((ids, number)),
        _ => Err(Refusal::invalid_value("ConnectionTimeout", minutes)),
    }
}

// long: one loop that waits for five things
async fn run(
    cx: &Context,
    ids: &[String],
    length: Duration,
    to: &mpsc::Sender<Bytes>,
    mut cuts: watch::Receiver<u64>,
) {
    let end = Instant::now() + length;
    let mut beat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    let now = cx.world.now();
    let mailboxes: std::collections::BTreeSet<usize> = ids
        .iter()
        .filter_map(|id| Some(cx.world.subscriptions.get(id, now)?.mailbox))
        .collect();
    let mut watches: Vec<_> = mailboxes
        .iter()
        .filter_map(|mailbox| cx.world.watch(*mailbox))
        .collect();
    loop {
        for id in ids {
            let subscription = cx.world.subscriptions.get(id, cx.world.now());
            let Some(subscription) = subscription else {
                let _ = to
                    .send(refused(cx, "ErrorSubscriptionNotFound", std::slice::from_ref(id)))
                    .await;
                return;
            };
            let Some(events) = news(cx, &subscription) else {
                let _ = to
                    .send(refused(
                        cx,
                        "ErrorMissedNotificationEvents",
                        std::slice::from_ref(id),
                    ))
                    .await;
                return;
            };
            let Some(last) = events.last().map(|event| event.change) else {
                continue;
            };
            let wanted: Vec<Event> = events
                .into_iter()
                .filter(|event| subscription.wants(event))
                .collect();
            cx.world.subscriptions.told(id, last, cx.world.now());
            if wanted.is_empty() {
                continue;
            }
            let told = message(cx, None, |writer| {
                writer.open("m:Notifications");
                writer.open("m:Notification");
                writer.leaf("t:SubscriptionId", id);
                write_events(writer, &cx.world, subscription.mailbox, &wanted, 0, false);
                writer.close("m:Notification");
                writer.close("m:Notifications");
            });
            if to.send(told).await.is_err() {
                return;
            }
        }
        let changed =
            futures_util::future::select_all(watches.iter_mut().map(|watch| Box::pin(watch.changed())));
        tokio::select! {
            _ = changed => {}
            _ = beat.tick() => {
                if to.send(message(cx, Some("OK"), |_| {})).await.is_err() {
                    return;
                }
            }
            () = sleep_until(end) => {
                let _ = to.send(message(cx, Some("Closed"), |_| {})).await;
                return;
            }
            _ = cuts.changed() => {
                let _ = to.send(Bytes::new()).await;
                return;
            }
            () = to.closed() => return,
        }
    }
}

fn news(cx: &Context, subscription: &Subscription) -> Option<Vec<Event>> {
    let read = cx.world.read(subscription.mailbox)?;
    Some(read.events.after(subscription.told)?.copied().collect())
}

fn message(cx: &Context, status: Option<&str>, content: impl FnOnce(&mut Writer)) -> Bytes {
    let mut writer = Writer::new();
    writer.open("m:GetStreamingEventsResponse");
    writer.open("m:ResponseMessages");
    writer.open_with(
        "m:GetStreamingEventsResponseMessage",
        &[("ResponseClass", "Success")],
    );
    writer.leaf("m:ResponseCode", "NoError");
    content(&mut writer);
    if let Some(status) = status {
        writer.leaf("m:ConnectionStatus", status);
    }
    writer.close("m:GetStreamingEventsResponseMessage");
    writer.close("m:ResponseMessages");
    writer.close("m:GetStreamingEventsResponse");
    Bytes::from(soap::streamed_envelope(cx.world.build(), &writer.finish()))
}

/// The last envelope of a stream that cannot go on.
fn refused(cx: &Context, code: &str, bad: &[String]) -> Bytes {
    let mut writer = Writer::new();
    writer.open("m:GetStreamingEventsResponse");
    writer.open("m:ResponseMessages");
    writer.open_with(
        "m:GetStreamingEventsResponseMessage",
        &[("ResponseClass", "Error")],
    );
    writer.leaf("m:MessageText", "The notification stream cannot go on.");
    writer.leaf("m:ResponseCode", code);
    writer.leaf("m:DescriptiveLinkKey", "0");
    writer.open("m:ErrorSubscriptionIds");
    for id in bad {
        writer.leaf("m:SubscriptionId", id);
    }
    writer.close("m:ErrorSubscriptionIds");
    writer.leaf("m:ConnectionStatus", "Closed");
    writer.close("m:GetStreamingEventsResponseMessage");
    writer.close("m:ResponseMessages");
    writer.close("m:GetStreamingEventsResponse");
    Bytes::from(soap::streamed_envelope(cx.world.build(), &writer.finish()))
}
