//! The search for content in the bytes of files: a text in every spelling in which it could come to lie there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// How many bytes of a text (and eight digits of base64) are needed: in some hundred megabytes, some ten thousand
/// needles of 48 bits meet by chance once in a hundred runs.
pub const SHORTEST: usize = 6;

/// Longer texts are looked for by their beginning and their end, so that neither a field's limit nor the seam of two
/// encoded words in the middle hides them.
const WINDOW: usize = 24;

/// Where a marker stands, and in which spelling.
pub struct Hit {
    pub file: PathBuf,
    pub spelling: &'static str,
    pub marker: String,
}

fn windows(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    match letters.len() {
        0..=WINDOW => vec![text.to_owned()],
        length => vec![
            letters[..WINDOW].iter().collect(),
            letters[length - WINDOW..].iter().collect(),
        ],
    }
}

/// The spellings of a text. What an encoder may write either way is here in both.
fn spellings(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = text.as_bytes();
    let utf16 = |pair: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(pair).collect::<Vec<u8>>();
    // RFC 2045 section 6.7: printable ASCII but for the equals sign may stand for itself, and so may a space.
    let body = escaped(bytes, "=", |byte| matches!(byte, b' '..=b'~') && byte != b'=');
    // RFC 2047 section 4.2 (2) and, within a phrase, section 5 (3).
    let spaces = escaped(bytes, "=", |byte| matches!(byte, b'!'..=b'~') && byte != b'=');
    let header = escaped(bytes, "=", |byte| {
        matches!(byte, b'!'..=b'~') && !b"=?_".contains(&byte)
    });
    let phrase = escaped(bytes, "=", |byte| {
        byte.is_ascii_alphanumeric() || b"!*+-/".contains(&byte)
    });
    let spaced = |text: String| text.replace("=20", "_").into_bytes();
    // RFC 3986 section 2.3, and what forms do to a space.
    let url = escaped(bytes, "%", |byte| {
        byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
    });
    let path = escaped(bytes, "%", |byte| {
        byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte)
    });
    let printed: String = bytes
        .iter()
        .flat_map(|byte| std::ascii::escape_default(*byte))
        .map(char::from)
        .collect();
    let hexadecimal: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut all = vec![
        ("UTF-8", bytes.to_vec()),
        ("lower case", text.to_lowercase().into_bytes()),
        ("UTF-16LE", utf16(u16::to_le_bytes)),
        ("UTF-16BE", utf16(u16::to_be_bytes)),
        ("quoted-printable", body.into_bytes()),
        ("quoted-printable with quoted spaces", spaces.into_bytes()),
        ("Q of a header", spaced(header)),
        ("Q of a phrase", spaced(phrase)),
        ("URL", url.clone().into_bytes()),
        ("URL of a form", url.replace("%20", "+").into_bytes()),
        ("URL's path", path.into_bytes()),
        ("JSON in ASCII", json(text).into_bytes()),
        ("XML", xml(text, "&apos;").into_bytes()),
        ("HTML", xml(text, "&#x27;").into_bytes()),
        (
            "bytes as Python prints them",
            printed.replace("\\\"", "\"").into_bytes(),
        ),
        ("bytes as Rust prints them", printed.into_bytes()),
        ("hexadecimal", hexadecimal.to_uppercase().into_bytes()),
        ("hexadecimal", hexadecimal.into_bytes()),
    ];
    all.extend(base64(bytes));
    all
}

/// Base64 depends on where the text begins within three octets; its inner part is the same for each start.
fn base64(bytes: &[u8]) -> impl Iterator<Item = (&'static str, Vec<u8>)> + use<> {
    let starts = [("base64", 0), ("base64 + 1", 1), ("base64 + 2", 2)];
    let spelled = starts.map(|(name, skip)| {
        let padded = [vec![b'x'; skip], bytes.to_vec()].concat();
        let text = STANDARD_NO_PAD.encode(&padded);
        let from = if skip == 0 { 0 } else { 4 };
        let until = padded.len() / 3 * 4;
        let inner = text.as_bytes().get(from..until).unwrap_or_default();
        (name, inner.to_vec())
    });
    spelled.into_iter().filter(|(_, inner)| inner.len() >= 8)
}

fn escaped(bytes: &[u8], sign: &str, literal: impl Fn(u8) -> bool) -> String {
    let one = |byte: &u8| match literal(*byte) {
        true => char::from(*byte).to_string(),
        false => format!("{sign}{byte:02X}"),
    };
    bytes.iter().map(one).collect()
}

fn json(text: &str) -> String {
    let mut units = [0; 2];
    let one = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        ' '..='~' => c.to_string(),
        _ => c
            .encode_utf16(&mut units)
            .iter()
            .map(|unit| format!("\\u{unit:04x}"))
            .collect(),
    };
    text.chars().map(one).collect()
}

fn xml(text: &str, apostrophe: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', apostrophe)
}

/// Searches every file under a folder, except those of these names in the folder itself. Gives what it found and
/// how many bytes it looked at.
///
/// A file that cannot be read is a failure of the search: nothing is known of it. One that goes away meanwhile is
/// not at rest there.
pub fn scan_but(folder: &Path, but: &[&str], markers: &[String]) -> (Vec<Hit>, u64) {
    let (mut names, mut needles) = (Vec::new(), Vec::new());
    for marker in markers.iter().filter(|marker| marker.len() >= SHORTEST) {
        let spelled = windows(marker).into_iter().flat_map(|window| spellings(&window));
        // Two syllables are six bytes of UTF-8 and only four of UTF-16.
        for (spelling, bytes) in spelled.filter(|(_, bytes)| bytes.len() >= SHORTEST) {
            names.push((marker, spelling));
            needles.push(bytes);
        }
    }
    let search = aho_corasick::AhoCorasick::new(&needles).unwrap();
    let (mut hits, mut looked) = (Vec::new(), 0);
    for path in files(folder, but) {
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => panic!("{} cannot be searched: {error}", path.display()),
        };
        looked += bytes.len() as u64;
        for text in [&bytes, &unbroken(&bytes)] {
            // Overlapping: one spelling of a marker may begin with another of it.
            for found in search.find_overlapping_iter(text) {
                let (marker, spelling) = names[found.pattern().as_usize()];
                hits.push(Hit {
                    file: path.clone(),
                    spelling,
                    marker: marker.clone(),
                });
            }
        }
    }
    (hits, looked)
}

/// The same for every file.
pub fn scan(folder: &Path, markers: &[String]) -> (Vec<Hit>, u64) {
    scan_but(folder, &[], markers)
}

fn files(folder: &Path, but: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        let entries = match fs::read_dir(&inner) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound && inner != folder => continue,
            Err(error) => panic!("{} cannot be searched: {error}", inner.display()),
        };
        for entry in entries {
            let entry = entry.unwrap();
            if inner == folder && but.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found
}

/// The same bytes without what breaks long lines: soft breaks of quoted-printable, the seam between two encoded
/// words of a header, ends of lines, and ends of lines as they are printed within a line of JSON.
fn unbroken(bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        let skip = match first {
            b'=' | b'?' | b'\r' | b'\n' | b'\\' => break_at(rest),
            _ => 0,
        };
        if skip > 0 {
            rest = &rest[skip..];
        } else {
            whole.push(*first);
            rest = tail;
        }
    }
    whole
}

/// How long the break is that these bytes begin with.
fn break_at(bytes: &[u8]) -> usize {
    let line_end = |bytes: &[u8]| match bytes {
        [b'\r', b'\n', ..] => 2,
        [b'\n' | b'\r', ..] => 1,
        _ => 0,
    };
    match bytes {
        [b'\\', b'r' | b'n', ..] => 2,
        [b'\r' | b'\n', ..] => line_end(bytes),
        [b'=', tail @ ..] if line_end(tail) > 0 => 1 + line_end(tail),
        [b'?', b'=', tail @ ..] => {
            let white = tail.iter().take_while(|byte| b" \t\r\n".contains(byte)).count();
            let word = &tail[white..];
            let marks: Vec<usize> = (0..word.len().min(40)).filter(|at| word[*at] == b'?').collect();
            match (white, word, marks.as_slice()) {
                (1.., [b'=', b'?', ..], [_, _, third, ..]) => 2 + white + third + 1,
                _ => 0,
            }
        }
        _ => 0,
    }
}
