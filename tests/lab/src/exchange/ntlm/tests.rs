//! The verdicts of the NTLM server, against the worked example of [MS-NLMP] 4.2.4 and
//! against a small client built on the same public functions of the document.

use chrono::{TimeZone, Utc};

use super::*;

/// [MS-NLMP] 4.2.4.3: the CHALLENGE_MESSAGE of the NTLMv2 example.
const EXAMPLE_CHALLENGE: &str = "4e544c4d53535000 02000000 0c000c00 38000000 33828ae2 0123456789abcdef \
    0000000000000000 24002400 44000000 060070170000000f 530065007200760065007200 \
    02000c00 44006f006d00610069006e00 01000c00 530065007200760065007200 00000000";
/// [MS-NLMP] 4.2.4.3: the AUTHENTICATE_MESSAGE of the NTLMv2 example.
const EXAMPLE_AUTHENTICATE: &str = "4e544c4d53535000 03000000 18001800 6c000000 54005400 84000000 \
    0c000c00 48000000 08000800 54000000 10001000 5c000000 1000 1000 d8000000 358288e2 05012 80a0000000f \
    44006f006d00610069006e00 5500730065007200 43004f004d0050005500540045005200 \
    86c35097ac9cec102554764a57cccc19 aaaaaaaaaaaaaaaa 68cd0ab851e51c96aabc927bebef6a1c \
    01010000 00000000 0000000000000000 aaaaaaaaaaaaaaaa 00000000 02000c00 44006f006d00610069006e00 \
    01000c00 530065007200760065007200 00000000 00000000 c5dad2544fc979909 4ce1ce90bc9d03e";
const EXAMPLE_NONCE: [u8; 8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

fn example_account() -> Account {
    Account {
        domain: "Domain".into(),
        user: "User".into(),
    }
}

fn example() -> Challenge {
    Challenge {
        negotiate: Vec::new(),
        message: hex(EXAMPLE_CHALLENGE),
        nonce: EXAMPLE_NONCE,
    }
}

fn no_binding(protection: ExtendedProtection) -> Channel {
    Channel {
        protection,
        binding: None,
    }
}

fn names() -> ServerNames {
    ServerNames {
        netbios_domain: "LAB".into(),
        netbios_computer: "EX1".into(),
        dns_domain: "lab.example".into(),
        dns_computer: "ex1.lab.example".into(),
    }
}

/// A NEGOTIATE_MESSAGE as Windows sends it: flags, two empty fields, a version.
fn negotiate() -> Vec<u8> {
    hex("4e544c4d53535000 01000000 978208e2 0000000000000000 0000000000000000 0a0063450000000f")
}

/// What a client puts into its AUTHENTICATE_MESSAGE.
struct Client<'a> {
    password: &'a str,
    binding: Option<[u8; 16]>,
    mic: bool,
    key_exchange: bool,
}

impl Client<'_> {
    /// [MS-NLMP] 3.1.5.1.2, for LAB\anna.
    fn authenticate(&self, challenge: &Challenge) -> Vec<u8> {
        let account = Account {
            domain: "LAB".into(),
            user: "anna".into(),
        };
        let mut pairs = Vec::new();
        if self.mic {
            pairs.extend([6, 0, 4, 0, 2, 0, 0, 0]);
        }
        if let Some(binding) = self.binding {
            pairs.extend([10, 0, 16, 0]);
            pairs.extend(binding);
        }
        pairs.extend([0; 4]);
        let key = ntowf_v2(self.password, &account);
        let blob = [
            &[1, 1, 0, 0, 0, 0, 0, 0][..],
            &[0; 8],
            &[0xaa; 8],
            &[0; 4],
            &pairs,
            &[0; 4],
        ]
        .concat();
        let proof = hmac_md5(&key, &[&challenge.nonce, &blob]);
        let base_key = hmac_md5(&key, &[&proof]);
        let exported = if self.key_exchange { [0x55; 16] } else { base_key };
        let mut session_key = Vec::new();
        if self.key_exchange {
            session_key = exported.to_vec();
            rc4::Rc4::new(&base_key.into()).apply_keystream(&mut session_key);
        }
        let parts = [
            vec![],
            [&proof[..], &blob].concat(),
            utf16("LAB"),
            utf16("anna"),
            vec![],
            session_key,
        ];
        let mut message = SIGNATURE.to_vec();
        message.extend(3u32.to_le_bytes());
        let mut offset = MIC.end;
        for part in &parts {
            message.extend(field(part.len(), offset));
            offset += part.len();
        }
        message.extend(flags::UNICODE.to_le_bytes());
        message.extend([0; 8 + 16]);
        message.extend(parts.concat());
        if self.mic {
            let mic = hmac_md5(&exported, &[&challenge.negotiate, &challenge.message, &message]);
            message[MIC].copy_from_slice(&mic);
        }
        message
    }
}

const HONEST: Client<'_> = Client {
    password: "Winter-2026",
    binding: None,
    mic: true,
    key_exchange: true,
};

fn challenge() -> Challenge {
    let now = Utc.with_ymd_and_hms(2026, 11, 24, 10, 0, 0).unwrap();
    Challenge::answer(&negotiate(), &names(), [7; 8], now).unwrap()
}

fn judge(client: &Client, channel: Channel) -> Result<Account, Refused> {
    let challenge = challenge();
    challenge.accept(&client.authenticate(&challenge), channel, |_| {
        Some("Winter-2026".into())
    })
}

#[test]
fn the_documents_example_keys_come_out() {
    let key = ntowf_v2("Password", &example_account());
    assert_eq!(key.to_vec(), hex("0c868a403bfd7a93a3001ef22ef02e3f"));
    let proof = hex("68cd0ab851e51c96aabc927bebef6a1c");
    assert_eq!(
        hmac_md5(&key, &[&proof]).to_vec(),
        hex("8de40ccadbc14a82f15cb0ad0de95ca3")
    );
}

#[test]
fn the_documents_example_signs_in() {
    let verdict = example().accept(
        &hex(EXAMPLE_AUTHENTICATE),
        no_binding(ExtendedProtection::Allow),
        |account| (*account == example_account()).then(|| "Password".into()),
    );
    assert_eq!(verdict, Ok(example_account()));
}

#[test]
fn the_documents_example_is_refused_with_another_password_or_challenge() {
    let allow = no_binding(ExtendedProtection::Allow);
    let message = hex(EXAMPLE_AUTHENTICATE);
    assert_eq!(
        example().accept(&message, allow, |_| Some("password".into())),
        Err(Refused::WrongPassword)
    );
    let other = Challenge {
        nonce: [0; 8],
        ..example()
    };
    assert_eq!(
        other.accept(&message, allow, |_| Some("Password".into())),
        Err(Refused::WrongPassword)
    );
    assert_eq!(
        example().accept(&message, allow, |_| None),
        Err(Refused::UnknownAccount)
    );
}

#[test]
fn the_challenge_tells_names_and_time_and_grants_only_what_was_offered() {
    let message = challenge().message().to_vec();
    let granted = u32_at(&message, 20).unwrap();
    assert_eq!(granted & flags::UNICODE, flags::UNICODE);
    assert_eq!(granted & flags::OEM, 0);
    assert_eq!(granted & flags::TARGET_INFO, flags::TARGET_INFO);
    assert_eq!(text(payload(&message, 12).unwrap(), true).unwrap(), "LAB");
    let info = payload(&message, 40).unwrap();
    assert_eq!(
        av_pair(info, av::DNS_COMPUTER).unwrap(),
        Some(&utf16("ex1.lab.example")[..])
    );
    // 2026-11-24 10:00:00 UTC as FILETIME.
    let time = av_pair(info, av::TIMESTAMP).unwrap().unwrap();
    assert_eq!(time, 134_399_880_000_000_000u64.to_le_bytes());
    let mut modest = negotiate();
    modest[12..16].copy_from_slice(&(flags::UNICODE | flags::NTLM).to_le_bytes());
    let modest = Challenge::answer(&modest, &names(), [7; 8], Utc::now()).unwrap();
    assert_eq!(u32_at(modest.message(), 20).unwrap() & flags::GRANTED, 0);
}

#[test]
fn a_client_with_and_without_key_exchange_signs_in() {
    for key_exchange in [true, false] {
        let client = Client {
            key_exchange,
            ..HONEST
        };
        assert!(judge(&client, no_binding(ExtendedProtection::Allow)).is_ok());
    }
}

#[test]
fn a_changed_message_breaks_the_integrity_code() {
    let challenge = challenge();
    let mut message = HONEST.authenticate(&challenge);
    message[64] ^= 1; // the version field, which only the MIC protects
    let allow = no_binding(ExtendedProtection::Allow);
    let verdict = challenge.accept(&message, allow, |_| Some("Winter-2026".into()));
    assert_eq!(verdict, Err(Refused::MessageAltered));
}

#[test]
fn extended_protection_judges_present_missing_wrong_and_zero_bindings() {
    use ExtendedProtection::{Allow, Off, Require};
    let due = [9; 16];
    let cases = [
        (Off, None, true),
        (Off, Some([1; 16]), true),
        (Allow, None, true),
        (Allow, Some(due), true),
        (Allow, Some([1; 16]), false),
        (Allow, Some([0; 16]), false),
        (Require, None, false),
        (Require, Some(due), true),
        (Require, Some([1; 16]), false),
        (Require, Some([0; 16]), false),
    ];
    for (protection, binding, passes) in cases {
        let verdict = judge(
            &Client { binding, ..HONEST },
            Channel {
                protection,
                binding: Some(due),
            },
        );
        assert_eq!(
            verdict.is_ok(),
            passes,
            "{protection:?} with {binding:?} gave {verdict:?}"
        );
    }
}

#[test]
fn an_old_protocol_answer_is_refused() {
    let mut message = hex(EXAMPLE_AUTHENTICATE);
    message[20..22].copy_from_slice(&24u16.to_le_bytes());
    let verdict = example().accept(&message, no_binding(ExtendedProtection::Off), |_| {
        Some("Password".into())
    });
    assert_eq!(verdict, Err(Refused::NtlmV1));
}

#[test]
fn no_cut_or_flipped_message_makes_it_stumble() {
    let off = no_binding(ExtendedProtection::Off);
    let whole = hex(EXAMPLE_AUTHENTICATE);
    for end in 0..whole.len() {
        assert!(
            example()
                .accept(&whole[..end], off, |_| Some("Password".into()))
                .is_err()
                || end > 0xd8
        );
        let mut flipped = whole.clone();
        flipped[end] ^= 0xff;
        let _verdict = example().accept(&flipped, off, |_| Some("Password".into()));
    }
    for end in 0..negotiate().len() {
        let _answer = Challenge::answer(&negotiate()[..end], &names(), [0; 8], Utc::now());
    }
}

#[test]
fn the_binding_is_the_hash_of_the_gss_struct() {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let hash = sha2::Sha256::digest(certificate.der());
    // 21 letters of prefix and 32 bytes of hash.
    let data = [&[0; 16][..], &[53, 0, 0, 0], b"tls-server-end-point:", &hash].concat();
    let due: [u8; 16] = Md5::digest(data).into();
    assert_eq!(channel_binding(certificate.der()), Some(due));
    assert_eq!(channel_binding(b"no certificate"), None);
}
