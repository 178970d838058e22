//! Numbers, times and states as people read them.

use super::model::{StreamLine, Summary};
use super::state::StreamState;
use chrono::{DateTime, TimeDelta, Utc};

/// With a thin space between thousands, which no locale misreads: `12 345`.
pub fn number(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if value < 0 {
        out.push('\u{2212}');
    }
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push('\u{2009}');
        }
        out.push(digit);
    }
    out
}

/// `1 mailbox`, `2 mailboxes`.
pub fn counted(count: i64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

/// A span of milliseconds: `0.4 s`, `12 s`, `3 min`, `2 h`.
pub fn span(ms: i64) -> String {
    let seconds = ms.max(0) / 1_000;
    match seconds {
        0..10 => format!("{}.{} s", seconds, ms.max(0) % 1_000 / 100),
        10..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// How long ago, or how soon: `12 s ago`, `in 3 min`, `now`.
pub fn when(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let away = at - now;
    if away.abs() < TimeDelta::seconds(1) {
        return "now".to_owned();
    }
    let ms = away.num_milliseconds();
    // Tenths of a second are noise here.
    let text = span(ms.abs() / 1_000 * 1_000).replace(".0 s", " s");
    if ms < 0 {
        format!("{text} ago")
    } else {
        format!("in {text}")
    }
}

/// The exact time, for the title of a relative one.
pub fn exact(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// What stands beside a stream's bar.
pub fn stream(line: &StreamLine) -> String {
    match (line.state, line.percent(), line.lag_ms) {
        (StreamState::InStep, _, Some(ms)) => span(ms.into()),
        (StreamState::InStep, _, None) => "in step".to_owned(),
        (StreamState::Reading, Some(percent), _) => format!("{percent} %"),
        (StreamState::Reading, None, _) if line.read > 0 => {
            format!("{} read", number(line.read.into()))
        }
        (StreamState::Reading, None, _) => "waiting".to_owned(),
        (state, _, _) => state.title().to_lowercase(),
    }
}

/// The answer to "is everything in step?", in one sentence.
pub fn answer(summary: &Summary) -> String {
    let (all, paused) = (summary.all(), summary.count(StreamState::Paused));
    let live = all - paused;
    let in_step = summary.count(StreamState::InStep);
    let broken = summary.count(StreamState::Stopped) + summary.count(StreamState::Refused);
    let mut parts = Vec::new();
    for (count, one, many) in [
        (broken, "has stopped", "have stopped"),
        (
            summary.count(StreamState::Retrying),
            "is being tried again",
            "are being tried again",
        ),
        (
            summary.count(StreamState::Waiting),
            "waits for the CRM's budget",
            "wait for the CRM's budget",
        ),
        (summary.count(StreamState::Late), "is late", "are late"),
        (
            summary.count(StreamState::Reading),
            "is being read for the first time",
            "are being read for the first time",
        ),
    ] {
        if count > 0 {
            parts.push(counted(count, one, many));
        }
    }
    if all == 0 {
        return "No mailbox is kept in step yet.".to_owned();
    }
    if live == 0 {
        return "Every mailbox is paused.".to_owned();
    }
    if parts.is_empty() {
        return if live == 1 {
            "The one mailbox is in step.".to_owned()
        } else {
            format!("All {} mailboxes are in step.", number(live))
        };
    }
    let verb = if in_step == 1 { "is" } else { "are" };
    let begin = format!(
        "{} of {} {verb} in step",
        number(in_step),
        counted(live, "mailbox", "mailboxes")
    );
    format!("{begin}; {}.", parts.join(", "))
}

/// The tone of the answer.
pub fn tone(summary: &Summary) -> &'static str {
    summary
        .mailboxes
        .iter()
        .filter(|(state, count)| *count > 0 && *state != StreamState::Paused)
        .map(|(state, _)| *state)
        .max()
        .map_or("quiet", StreamState::tone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(1_234_567), "1\u{2009}234\u{2009}567");
        assert_eq!(number(-1_000), "\u{2212}1\u{2009}000");
    }

    #[test]
    fn spans_are_told_in_the_unit_that_matters() {
        let told: Vec<String> = [40, 1_400, 59_000, 180_000, 7_200_000, 260_000_000]
            .into_iter()
            .map(span)
            .collect();
        assert_eq!(told, ["0.0 s", "1.4 s", "59 s", "3 min", "2 h", "3 days"]);
    }

    #[test]
    fn the_answer_names_what_is_not_in_step() {
        let summary = |counts: &[(StreamState, i64)]| Summary {
            mailboxes: counts.to_vec(),
            ..Summary::default()
        };
        let said = |counts| answer(&summary(counts));
        assert_eq!(said(&[]), "No mailbox is kept in step yet.");
        assert_eq!(
            said(&[(StreamState::InStep, 812)]),
            "All 812 mailboxes are in step."
        );
        assert_eq!(said(&[(StreamState::Paused, 3)]), "Every mailbox is paused.");
        assert_eq!(
            said(&[
                (StreamState::InStep, 1),
                (StreamState::Refused, 1),
                (StreamState::Reading, 2)
            ]),
            "1 of 4 mailboxes is in step; 1 has stopped, 2 are being read for the first time."
        );
    }
}
