//! Promise P1, no content at rest: markers in every content field on both sides, a whole life of the appliance
//! (first read, edits, failures, kill, restart), then every byte of its folder is searched.

use crate::harness::Site;
use std::fs;
use std::path::{Path, PathBuf};

/// Where a marker stands, and in which spelling.
pub struct Hit {
    pub file: PathBuf,
    pub spelling: &'static str,
    marker: String,
}

/// The spellings in which content could come to lie on a disk. Letters of a marker are ASCII and below 77
/// characters, so that quoted-printable leaves them as they are except for what surrounds them; the non-ASCII
/// half of a marker is what quoted-printable changes.
fn spellings(marker: &str) -> Vec<(&'static str, Vec<u8>)> {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD_NO_PAD;
    let utf16 = |big: bool| -> Vec<u8> {
        marker
            .encode_utf16()
            .flat_map(|unit| {
                if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            })
            .collect()
    };
    let quoted: String = marker
        .bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("={byte:02X}")
            }
        })
        .collect();
    let mut all = vec![
        ("UTF-8", marker.as_bytes().to_vec()),
        ("UTF-16LE", utf16(false)),
        ("UTF-16BE", utf16(true)),
        ("quoted-printable", quoted.into_bytes()),
    ];
    // Base64 depends on where the text begins within three octets; its inner part is the same for each start.
    for (name, skip) in [("base64", 0), ("base64 + 1", 1), ("base64 + 2", 2)] {
        let padded = [vec![b'x'; skip], marker.as_bytes().to_vec()].concat();
        let text = STANDARD_NO_PAD.encode(padded);
        let from = if skip == 0 { 0 } else { 4 };
        let until = text.len() - text.len() % 4 - if text.len() % 4 == 0 { 4 } else { 0 };
        all.push((name, text.as_bytes()[from..until].to_vec()));
    }
    all
}

pub fn scan(folder: &Path, markers: &[String]) -> (Vec<Hit>, u64) {
    let (mut names, mut needles) = (Vec::new(), Vec::new());
    for marker in markers {
        for (spelling, bytes) in spellings(marker) {
            names.push((marker, spelling));
            needles.push(bytes);
        }
    }
    let search = aho_corasick::AhoCorasick::new(&needles).unwrap();
    let (mut hits, mut looked) = (Vec::new(), 0);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                let bytes = fs::read(&path).unwrap_or_default();
                looked += bytes.len() as u64;
                // Overlapping: one spelling of a marker may begin with another of it.
                for found in search.find_overlapping_iter(&bytes) {
                    let (marker, spelling) = names[found.pattern().as_usize()];
                    hits.push(Hit {
                        file: path.clone(),
                        spelling,
                        marker: marker.clone(),
                    });
                }
            }
        }
    }
    (hits, looked)
}

/// Texts that people wrote or that tell of them, out of the lab's whole world: subjects, bodies, names,
/// addresses of outsiders, telephone numbers, places. Long enough not to occur by chance.
pub fn markers_of(site: &Site) -> Vec<String> {
    let world = site.control("GET", "/world", b"");
    let own: Vec<String> = site
        .people()
        .iter()
        .flat_map(|person| ["smtp", "sf_username"].map(|name| person[name].as_str().unwrap().to_lowercase()))
        .collect();
    let mut texts = std::collections::BTreeSet::new();
    let fields = [
        "Subject",
        "Description",
        "Email",
        "Name",
        "Location",
        "TextBody",
        "Phone",
        "MobilePhone",
        "Title",
        "FromAddress",
        "ToAddress",
        "MailingStreet",
    ];
    for object in ["Contact", "Lead", "Event", "Task", "EmailMessage"] {
        for row in world["salesforce"][object].as_array().unwrap() {
            for field in fields {
                texts.extend(row[field].as_str().map(str::to_owned));
            }
        }
    }
    for mailbox in world["exchange"].as_array().unwrap() {
        for item in mailbox["items"].as_array().unwrap() {
            for field in [
                "item:Subject",
                "item:Body",
                "calendar:Location",
                "contacts:CompanyName",
            ] {
                strings_in(&item["fields"][field], &mut texts);
            }
        }
    }
    texts
        .into_iter()
        .map(|text| text.trim().chars().take(40).collect::<String>())
        .filter(|text| text.chars().count() >= 14 && text.contains(|c: char| !c.is_ascii_hexdigit()))
        // The addresses of the synchronised mailboxes themselves are settings.
        .filter(|text| !own.iter().any(|address| text.to_lowercase().contains(address)))
        .filter(|text| !text.starts_with("00") && !text.contains("Busy"))
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect()
}

fn strings_in(value: &serde_json::Value, texts: &mut std::collections::BTreeSet<String>) {
    match value {
        serde_json::Value::String(text) => {
            texts.insert(text.clone());
        }
        serde_json::Value::Array(all) => all.iter().for_each(|one| strings_in(one, texts)),
        serde_json::Value::Object(all) => all.values().for_each(|one| strings_in(one, texts)),
        _ => {}
    }
}

/// A mail of somebody whom the CRM knows, with a file.
fn with_a_file(site: &Site) -> String {
    let world = site.control("GET", "/world", b"");
    let contacts = world["salesforce"]["Contact"].as_array().unwrap();
    let sender = contacts.iter().find_map(|row| row["Email"].as_str()).unwrap();
    format!(
        "From: {sender}\r\nTo: x@lab.example\r\nSubject: with a file\r\nMessage-ID: <canary-2@outside.example>\r\n\
         Date: {}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
         Content-Type: text/plain\r\n\r\nSee the file.\r\n--b\r\nContent-Type: text/plain\r\n\
         Content-Disposition: attachment; filename=\"canary file name that nobody finds.txt\"\r\n\r\n\
         canary words in a file that nobody finds\r\n--b--\r\n",
        chrono::Utc::now().to_rfc2822()
    )
}

/// The folders of the appliance itself: data with WAL and temp files, logs, what it printed.
pub fn appliance(site: &Site) -> Vec<PathBuf> {
    ["data", "log"].map(|name| site.folder().join(name)).to_vec()
}

#[test]
fn no_content_is_at_rest_after_a_whole_life_of_the_appliance() {
    let mut site = Site::open(3, 60);
    let policy = site.file("policy.json");
    let mut taking = holdfast::sync::policy::Policy::default();
    taking.attachments.of = holdfast::record::kind::RecordKind::ALL.to_vec();
    taking.attachments.inline = true;
    fs::write(&policy, serde_json::to_string(&taking).unwrap()).unwrap();
    site.succeed(&["policy", "set", "default", policy.to_str().unwrap()]);
    site.start_daemon();
    site.in_step();
    // Failures, a cut connection, an answer that does not parse, a kill in the middle, a restart.
    for rule in [
        r#"{"side":"exchange","operation":"GetItem","kind":"illegal_xml","times":2}"#,
        r#"{"side":"exchange","operation":"GetItem","kind":"cut","after_bytes":900,"times":2}"#,
        r#"{"side":"salesforce","operation":"collections_create","kind":"half_applied","times":1}"#,
        r#"{"side":"salesforce","operation":"query_all","kind":"html","status":200,"times":2}"#,
    ] {
        site.control("POST", "/faults", rule.as_bytes());
    }
    let mail = "From: stranger <canary.sender@outside.example>\r\nTo: x@lab.example\r\n\
                Subject: canary subject that nobody may find\r\nMessage-ID: <canary-1@outside.example>\r\n\r\n\
                canary body that nobody may find either\r\n";
    let address = site.people()[0]["smtp"].as_str().unwrap().to_owned();
    let inbox = format!("/exchange/import-eml?mailbox={address}&folder=inbox");
    site.control("POST", &inbox, mail.as_bytes());
    site.control("POST", &inbox, with_a_file(&site).as_bytes());
    site.in_step();
    site.kill_daemon();
    site.kill_postgresql();
    site.start_daemon();
    site.in_step();
    let mut markers = markers_of(&site);
    markers.extend(
        [
            "canary.sender@outside.example",
            "canary subject that nobody",
            "canary body that nobody",
        ]
        .map(str::to_owned),
    );
    let world = site.control("GET", "/world", b"");
    let files = world["salesforce"]["ContentVersion"].as_array().unwrap();
    let title = "canary file name that nobody finds.txt";
    assert!(
        files.iter().any(|row| row["Title"] == title),
        "the file was not carried"
    );
    markers.extend([
        title.to_owned(),
        "canary words in a file that nobody finds".to_owned(),
    ]);
    assert!(markers.len() > 300, "only {} markers", markers.len());
    let mut looked = 0;
    for folder in appliance(&site) {
        let (hits, bytes) = scan(&folder, &markers);
        assert!(
            hits.is_empty(),
            "{} hits, the first: {} as {} in {}",
            hits.len(),
            hits[0].marker,
            hits[0].spelling,
            hits[0].file.display()
        );
        looked += bytes;
    }
    assert!(looked > 20_000_000, "only {looked} bytes were searched");
}

#[test]
fn the_search_finds_a_planted_marker_in_each_spelling() {
    let folder = tempfile::tempdir().unwrap();
    let marker = "Ein Päckchen für Zoë".to_owned();
    for (number, (name, bytes)) in spellings(&marker).into_iter().enumerate() {
        let file = folder.path().join(number.to_string());
        fs::write(&file, [b"before ".as_slice(), &bytes, b" after"].concat()).unwrap();
        let (hits, _) = scan(folder.path(), std::slice::from_ref(&marker));
        assert!(
            hits.iter().any(|hit| hit.spelling == name && hit.file == file),
            "{name} was not found"
        );
        fs::remove_file(&file).unwrap();
    }
}
