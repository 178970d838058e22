//! Invented words in many scripts: names, subjects, paragraphs, file names.
//!
//! Nothing here is anybody's: the texts are shuffled from small fixed lists. Scripts are mixed on
//! purpose (Latin with diacritics, Cyrillic, Greek, Arabic, Hebrew, Devanagari, CJK, emoji), since
//! that is where encodings, length limits and folding of case go wrong.

use rand::Rng;
use rand::seq::IndexedRandom;

/// Given names as shown, and as written in an address.
const GIVEN: &[(&str, &str)] = &[
    ("Anna", "anna"),
    ("Björn", "bjorn"),
    ("Chloé", "chloe"),
    ("Dawid", "dawid"),
    ("Émile", "emile"),
    ("Frieda", "frieda"),
    ("Göran", "goran"),
    ("Håkon", "hakon"),
    ("İpek", "ipek"),
    ("Jürgen", "jurgen"),
    ("Kateřina", "katerina"),
    ("Łukasz", "lukasz"),
    ("María", "maria"),
    ("Niño", "nino"),
    ("Øyvind", "oyvind"),
    ("Pål", "pal"),
    ("Quinn", "quinn"),
    ("Róisín", "roisin"),
    ("Şebnem", "sebnem"),
    ("Tomáš", "tomas"),
    ("Ursula", "ursula"),
    ("Věra", "vera"),
    ("Walter", "walter"),
    ("Xenia", "xenia"),
    ("Ýmir", "ymir"),
    ("Zoë", "zoe"),
    ("Ольга", "olga"),
    ("Пётр", "petr"),
    ("Ελένη", "eleni"),
    ("Νίκος", "nikos"),
    ("ليلى", "layla"),
    ("يوسف", "yusuf"),
    ("נועה", "noa"),
    ("דוד", "david"),
    ("आशा", "asha"),
    ("रवि", "ravi"),
    ("美咲", "misaki"),
    ("健", "ken"),
    ("伟", "wei"),
    ("민준", "minjun"),
];

/// Family names as shown, and as written in an address.
const FAMILY: &[(&str, &str)] = &[
    ("Ångström", "angstrom"),
    ("Böhm", "bohm"),
    ("Castañeda", "castaneda"),
    ("Dvořák", "dvorak"),
    ("Eßer", "esser"),
    ("Færøy", "faeroy"),
    ("Grünwald", "grunwald"),
    ("Håland", "haland"),
    ("Iñárritu", "inarritu"),
    ("Jørgensen", "jorgensen"),
    ("Kovács", "kovacs"),
    ("Łoś", "los"),
    ("Müller", "muller"),
    ("Nuñez", "nunez"),
    ("O'Brien", "obrien"),
    ("Piñero", "pinero"),
    ("Quist", "quist"),
    ("Řehoř", "rehor"),
    ("Šimek", "simek"),
    ("Tõnisson", "tonisson"),
    ("Újvári", "ujvari"),
    ("von der Aue", "vonderaue"),
    ("Weiß", "weiss"),
    ("Yıldız", "yildiz"),
    ("Žižka", "zizka"),
    ("Smith-Jones", "smith-jones"),
    ("Иванова", "ivanova"),
    ("Шевченко", "shevchenko"),
    ("Παπαδοπούλου", "papadopoulou"),
    ("حداد", "haddad"),
    ("כהן", "cohen"),
    ("शर्मा", "sharma"),
    ("佐藤", "sato"),
    ("王", "wang"),
    ("김", "kim"),
    ("Nguyễn", "nguyen"),
];

const SUBJECTS: &[&str] = &[
    "Quarterly review",
    "Angebot für die Halle 7",
    "Réunion d'équipe",
    "Propuesta revisada",
    "Åtgärdslista",
    "Kick-off",
    "Budget 2027",
    "Návrh smlouvy",
    "Встреча по проекту",
    "Σχέδιο παράδοσης",
    "اجتماع المشروع",
    "פגישת סטטוס",
    "परियोजना बैठक",
    "打ち合わせの件",
    "项目进度",
    "프로젝트 회의",
    "Site visit 🚧",
    "Release 🎉",
    "Invoice <4711> & reminder",
    "Re-plan \"North\"",
    "50% rabatt?",
    "C:\\temp and /tmp",
    "Köszönöm!",
];

const SENTENCES: &[&str] = &[
    "Please have a look before Thursday.",
    "Wir melden uns nächste Woche mit Zahlen.",
    "Le contrat est prêt à être signé.",
    "¿Podemos adelantar la reunión?",
    "Smlouva leží u právníků.",
    "Møtet er flyttet til åtte.",
    "Пожалуйста, проверьте смету.",
    "Το σχέδιο είναι έτοιμο.",
    "يرجى تأكيد الموعد قبل نهاية الأسبوع.",
    "נא לאשר את ההצעה עד מחר.",
    "कृपया प्रस्ताव देखें।",
    "来週の火曜日までにご確認ください。",
    "请在周五之前回复。",
    "다음 주까지 확인 부탁드립니다.",
    "The order is 12 pallets; the truck holds 10.",
    "Price < 100 & volume > 20 is fine by us.",
    "Let us celebrate 🎂🥂 afterwards.",
    "Die Straße ist bis Jänner gesperrt.",
    "See you — at the usual “place”.",
];

const FILES: &[&str] = &[
    "offer.pdf",
    "Angebot Halle 7.docx",
    "résumé.pdf",
    "plán.xlsx",
    "смета.xlsx",
    "σχέδιο.dwg",
    "عرض.pdf",
    "見積書.pdf",
    "photo 🚧.jpg",
    "minutes (final) v2.txt",
    "a'b;c,d.csv",
];

const COMPANIES: &[(&str, &str)] = &[
    ("Ångström Instruments", "angstrom"),
    ("Böhm & Söhne", "bohm"),
    ("Crêperie Industrielle", "creperie"),
    ("Dvořák Stavby", "dvorak"),
    ("Ελληνικά Πλοία", "ploia"),
    ("Fjord Kraft", "fjord"),
    ("Grünwald Holz", "grunwald"),
    ("Иванов и партнёры", "ivanov"),
    ("Kraków Odlewnia", "krakow"),
    ("Lumière", "lumiere"),
    ("مصنع الحداد", "haddad"),
    ("Nuñez Hermanos", "nunez"),
    ("佐藤製作所", "sato"),
    ("תעשיות כהן", "cohen"),
    ("Sharma शर्मा Steel", "sharma"),
    ("王记贸易", "wang"),
    ("Zizka Transport", "zizka"),
    ("Kim 김 Optics", "kim"),
];

fn pick<T: Copy>(rng: &mut impl Rng, list: &[T]) -> T {
    *list.choose(rng).expect("the word lists are not empty")
}

/// A subject line; sometimes with a number, sometimes with a reply mark.
pub fn subject(rng: &mut impl Rng) -> String {
    let base = pick(rng, SUBJECTS);
    match rng.random_range(0..4) {
        0 => format!("{base} #{}", rng.random_range(1..1000)),
        1 => format!("{base} – {}", pick(rng, SUBJECTS)),
        _ => base.to_owned(),
    }
}

/// One sentence.
pub fn sentence(rng: &mut impl Rng) -> String {
    pick(rng, SENTENCES).to_owned()
}

/// `n` paragraphs of a few sentences, separated by empty lines (LF).
pub fn paragraphs(rng: &mut impl Rng, n: usize) -> String {
    let mut text = String::new();
    for index in 0..n {
        if index > 0 {
            text.push_str("\n\n");
        }
        for place in 0..rng.random_range(2..6) {
            if place > 0 {
                text.push(' ');
            }
            text.push_str(pick(rng, SENTENCES));
        }
    }
    text
}

/// A file name with an extension.
pub fn file_name(rng: &mut impl Rng) -> String {
    pick(rng, FILES).to_owned()
}

/// A given name: as shown, and its ASCII form for addresses.
pub fn given_name(rng: &mut impl Rng) -> (String, String) {
    let (shown, ascii) = pick(rng, GIVEN);
    (shown.to_owned(), ascii.to_owned())
}

/// A family name: as shown, and its ASCII form for addresses.
pub fn family_name(rng: &mut impl Rng) -> (String, String) {
    let (shown, ascii) = pick(rng, FAMILY);
    (shown.to_owned(), ascii.to_owned())
}

/// A company name: as shown, and its ASCII form for domains.
pub fn company_name(rng: &mut impl Rng) -> (String, String) {
    let (shown, ascii) = pick(rng, COMPANIES);
    (shown.to_owned(), ascii.to_owned())
}
