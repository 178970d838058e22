//! Mail: threads with outsiders, strangers and colleagues in several folders, and a few things
//! of each sort that make mail hard (signed and encrypted, inline pictures, no Message-ID, a
//! draft, meeting requests).

use chrono::{DateTime, Duration, Utc};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::super::field::Field;
use super::super::folder::{DistinguishedFolder, FolderKey};
use super::super::item::{Attachment, AttachmentContent, Item, Kind};
use super::super::mime;
use super::super::value::{Address, Binary};
use super::super::world::World;
use super::calendar::Request;
use super::{Party, Purpose, body, colleagues, hours, html, outsider, plain, rng, share};
use crate::text;

/// A picture of one transparent point.
const PICTURE: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0,
    0, 1, 8, 6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 0x0d, b'I', b'D', b'A', b'T', 0x78, 0x9c, 0x63, 0,
    1, 0, 0, 5, 0, 1, 0x0d, 0x0a, 0x2d, 0xb4, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82,
];

pub(super) fn seed(world: &World, items_per_person: usize, requests: Vec<Request>) {
    let mut post = Post {
        world,
        rng: rng(&world.cast, Purpose::Mail),
        boxes: Vec::new(),
        threads: 0,
    };
    post.boxes = (0..world.cast.people.len())
        .map(|mailbox| Shelf::new(world, mailbox))
        .collect();
    for request in requests {
        post.put(request.mailbox, DistinguishedFolder::Inbox.into(), request.item);
    }
    let quota = share(items_per_person, 112);
    for mailbox in 0..post.boxes.len() {
        if items_per_person >= 20 {
            post.oddities(mailbox);
        }
        while post.boxes[mailbox].count < quota {
            post.thread(mailbox);
        }
    }
}

/// One person's folders for mail, and how much is in them.
struct Shelf {
    subfolders: Vec<FolderKey>,
    count: usize,
}

impl Shelf {
    fn new(world: &World, mailbox: usize) -> Shelf {
        let inbox = DistinguishedFolder::Inbox.into();
        let top = DistinguishedFolder::MsgFolderRoot.into();
        let projects = world.seed_folder(mailbox, inbox, "IPF.Note", "Projekte");
        let subfolders = vec![
            world.seed_folder(mailbox, projects, "IPF.Note", "Halle 7 – Ελλάδα"),
            world.seed_folder(mailbox, top, "IPF.Note", "Customers & <Partners>"),
            projects,
        ];
        Shelf { subfolders, count: 0 }
    }
}

struct Post<'a> {
    world: &'a World,
    rng: ChaCha8Rng,
    boxes: Vec<Shelf>,
    threads: u64,
}

/// A mail under way.
struct Letter<'a> {
    from: Party<'a>,
    to: Vec<Party<'a>>,
    cc: Vec<Party<'a>>,
    item: Item,
    sent: DateTime<Utc>,
}

impl<'a> Post<'a> {
    fn put(&mut self, mailbox: usize, folder: FolderKey, item: Item) {
        self.world.seed_item_in(mailbox, folder, item);
        self.boxes[mailbox].count += 1;
    }

    /// One to five mails back and forth between a person and somebody else, now and then with
    /// colleagues in copy.
    fn thread(&mut self, mailbox: usize) {
        let cast = &self.world.cast;
        let me = Party::colleague(cast, mailbox);
        let mut others = match self.rng.random_range(0..4) {
            0 => colleagues(cast, &mut self.rng, mailbox, 3),
            _ => Vec::new(),
        };
        if others.is_empty() {
            others.push(outsider(cast, &mut self.rng));
        }
        let cc = match self.rng.random_range(0..5) {
            0 => colleagues(cast, &mut self.rng, mailbox, 1),
            _ => Vec::new(),
        };
        self.threads += 1;
        let topic = text::subject(&mut self.rng);
        let mut references: Vec<String> = Vec::new();
        let mut sent =
            cast.start - Duration::days(self.rng.random_range(1..120)) - hours(&mut self.rng, 0..24);
        let mine_first = self.rng.random_ratio(1, 2);
        for turn in 0..self.rng.random_range(1..6) {
            if sent >= cast.start {
                break;
            }
            let (from, to) = if (turn % 2 == 0) == mine_first {
                (me, others.clone())
            } else {
                (others[0], vec![me])
            };
            let cc = cc
                .iter()
                .filter(|party| party.mailbox() != from.mailbox())
                .copied()
                .collect();
            let subject = if turn == 0 {
                topic.clone()
            } else {
                format!("Re: {topic}")
            };
            let id = self.message_id(from, turn);
            let item = self.message(&subject, &topic, &id, &references);
            self.deliver(Letter {
                from,
                to,
                cc,
                item,
                sent,
            });
            references.push(id);
            sent += hours(&mut self.rng, 1..40);
        }
    }

    fn message_id(&mut self, from: Party<'_>, turn: usize) -> String {
        let unique: u32 = self.rng.random();
        format!("<{:x}.{turn}.{unique:08x}@{}>", self.threads, from.domain())
    }

    fn message(&mut self, subject: &str, topic: &str, id: &str, references: &[String]) -> Item {
        let mut item = Item::new(Kind::Message)
            .with(Field::Subject, subject)
            .with(Field::ConversationTopic, topic)
            .with(Field::InternetMessageId, id)
            .with(Field::Body, body(&mut self.rng, 4));
        if let Some(last) = references.last() {
            item.set(Field::InReplyTo, last.as_str());
            item.set(Field::References, references.join(" "));
        }
        match self.rng.random_range(0..20) {
            0..3 => item.attachments.push(self.file()),
            3 => self.add_picture(&mut item),
            4 => item.set(Field::Importance, "High"),
            5 => item.set(Field::Sensitivity, "Private"),
            6 => item.set(
                Field::Categories,
                vec!["Wichtig".to_owned(), "Žlutá kategorie".to_owned()],
            ),
            _ => {}
        }
        item
    }

    fn file(&mut self) -> Attachment {
        let octets: Vec<u8> = (0..self.rng.random_range(200..6_000))
            .map(|_| self.rng.random())
            .collect();
        Attachment {
            serial: 0,
            name: text::file_name(&mut self.rng),
            content_type: Some("application/octet-stream".to_owned()),
            content_id: None,
            inline: false,
            contact_photo: false,
            modified: self.world.cast.start - Duration::days(150),
            content: AttachmentContent::File(Binary(octets.into())),
        }
    }

    fn add_picture(&mut self, item: &mut Item) {
        let id = format!("picture.{}@lab.example", self.threads);
        let paragraphs = text::paragraphs(&mut self.rng, 2);
        item.set(Field::Body, html(&paragraphs, &format!("<img src=\"cid:{id}\">")));
        item.attachments.push(Attachment {
            name: "image001.png".to_owned(),
            content_type: Some("image/png".to_owned()),
            content_id: Some(id),
            inline: true,
            content: AttachmentContent::File(Binary(PICTURE.into())),
            ..self.file()
        });
    }

    /// One copy among the sender's sent items, one in the inbox of everybody inside.
    fn deliver(&mut self, letter: Letter<'_>) {
        let list = |parties: &[Party<'_>]| {
            parties
                .iter()
                .map(|party| party.address())
                .collect::<Vec<Address>>()
        };
        let mut item = letter
            .item
            .with(Field::From, letter.from.address())
            .with(Field::Sender, letter.from.address())
            .with(Field::ToRecipients, list(&letter.to))
            .with(Field::DateTimeSent, letter.sent)
            .with(Field::DateTimeCreated, letter.sent);
        if !letter.cc.is_empty() {
            item.set(Field::CcRecipients, list(&letter.cc));
        }
        if let Some(mailbox) = letter.from.mailbox() {
            let copy = item
                .clone()
                .with(Field::IsRead, true)
                .with(Field::DateTimeReceived, letter.sent);
            self.put(mailbox, DistinguishedFolder::SentItems.into(), copy);
        }
        let received = letter.sent + Duration::seconds(self.rng.random_range(1..90));
        for party in letter.to.iter().chain(&letter.cc) {
            let Some(mailbox) = party.mailbox() else { continue };
            let read = self.rng.random_ratio(4, 5);
            let copy = item
                .clone()
                .with(Field::DateTimeReceived, received)
                .with(Field::DateTimeCreated, received)
                .with(Field::ReceivedBy, party.address())
                .with(Field::ReceivedRepresenting, party.address())
                .with(Field::IsRead, read);
            let folder = self.incoming_folder(mailbox);
            self.put(mailbox, folder, copy);
        }
    }

    fn incoming_folder(&mut self, mailbox: usize) -> FolderKey {
        let subfolders = &self.boxes[mailbox].subfolders;
        subfolders
            .get(self.rng.random_range(0..20))
            .copied()
            .unwrap_or(DistinguishedFolder::Inbox.into())
    }

    /// What is in every mailbox once or twice.
    fn oddities(&mut self, mailbox: usize) {
        let cast = &self.world.cast;
        let me = Party::colleague(cast, mailbox);
        let from = outsider(cast, &mut self.rng);
        let sent = cast.start - Duration::days(30) - hours(&mut self.rng, 0..48);
        let mut nameless = self.message("Fax 0815", "Fax 0815", "", &[]);
        nameless.unset(Field::InternetMessageId);
        self.deliver(Letter {
            from,
            to: vec![me],
            cc: Vec::new(),
            item: nameless,
            sent,
        });
        let id = self.message_id(from, 0);
        let mut pictured = self.message("Logo", "Logo", &id, &[]);
        pictured.attachments.clear();
        self.add_picture(&mut pictured);
        self.deliver(Letter {
            from,
            to: vec![me],
            cc: Vec::new(),
            item: pictured,
            sent,
        });
        for raw in [signed, encrypted] {
            let id = self.message_id(from, 0);
            let item = mime::read(raw(&from.address(), &me.address(), &id, sent).into_bytes())
                .with(Field::IsRead, true)
                .with(Field::DateTimeCreated, sent)
                .with(Field::DateTimeReceived, sent);
            self.put(mailbox, DistinguishedFolder::Inbox.into(), item);
        }
        let draft = Item::new(Kind::Message)
            .with(Field::Subject, text::subject(&mut self.rng))
            .with(Field::Body, plain(text::sentence(&mut self.rng)))
            .with(Field::ToRecipients, vec![from.address()])
            .with(Field::IsDraft, true)
            .with(Field::IsRead, true)
            .with(Field::DateTimeCreated, sent);
        self.put(mailbox, DistinguishedFolder::Drafts.into(), draft);
    }
}

fn head(from: &Address, to: &Address, id: &str, sent: DateTime<Utc>) -> String {
    format!(
        "From: <{}>\r\nTo: <{}>\r\nMessage-ID: {id}\r\nDate: {}\r\nMIME-Version: 1.0\r\n",
        from.email,
        to.email,
        sent.to_rfc2822()
    )
}

/// An S/MIME mail with a clear text and a signature (RFC 8551 3.5.3). The signature is none.
fn signed(from: &Address, to: &Address, id: &str, sent: DateTime<Utc>) -> String {
    format!(
        "{}Subject: Vertrag (signiert)\r\n\
         Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=s1\r\n\r\n\
         --s1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nSigned text.\r\n\
         --s1\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\n\
         Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=smime.p7s\r\n\r\n\
         MIIB\r\n--s1--\r\n",
        head(from, to, id, sent)
    )
}

/// An S/MIME mail that only its receiver can read (RFC 8551 3.3). The content is none.
fn encrypted(from: &Address, to: &Address, id: &str, sent: DateTime<Utc>) -> String {
    format!(
        "{}Subject: Vertrag (verschlüsselt)\r\n\
         Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\n\
         Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=smime.p7m\r\n\r\n\
         MIIBAgMEBQYHCAkK\r\n",
        head(from, to, id, sent)
    )
}
