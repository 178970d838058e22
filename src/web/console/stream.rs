//! A stream drawn: a short bar whose long part is the first reading and whose short part is live work, with
//! words beside it, so that no meaning hangs on a colour.

use crate::web::board::words;
use crate::web::board::{StreamLine, StreamState};

/// The long part's width in units of the drawing.
const READ_WIDTH: u32 = 48;

/// What is drawn.
#[derive(Debug, Clone)]
pub struct Bar {
    /// How far the first reading is, of [`READ_WIDTH`] units.
    pub read: u32,
    /// The live part is reached.
    pub live: bool,
    /// What the colour says.
    pub tone: &'static str,
    /// What stands beside it.
    pub beside: String,
    /// Everything in words, for the title and for screen readers.
    pub title: String,
}

/// Draws a stream.
pub fn bar(line: &StreamLine) -> Bar {
    let percent = u32::from(line.percent().unwrap_or(0));
    let beside = words::stream(line);
    Bar {
        read: READ_WIDTH * percent / 100,
        live: line.first_read_done,
        tone: line.state.tone(),
        title: title(line, &beside),
        beside,
    }
}

fn title(line: &StreamLine, beside: &str) -> String {
    let kind = line.kind.word();
    match (line.state, line.read_total) {
        (StreamState::InStep, _) => format!("{kind}: in step, {beside} from a change to its copy, last time"),
        (StreamState::Reading, Some(total)) => format!(
            "{kind}: first reading, {} of {} items",
            words::number(line.read.into()),
            words::number(total.into())
        ),
        (state, _) => match &line.error {
            Some(code) => format!("{kind}: {}, {code}", state.title().to_lowercase()),
            None => format!("{kind}: {}", state.title().to_lowercase()),
        },
    }
}
