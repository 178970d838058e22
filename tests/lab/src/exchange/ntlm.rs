//! The server side of NTLMv2 as pure functions: bytes in, bytes or a verdict out.
//!
//! [`Challenge::answer`] reads a client's NEGOTIATE_MESSAGE and makes the CHALLENGE_MESSAGE;
//! [`Challenge::accept`] judges the AUTHENTICATE_MESSAGE: the proof of the password, the
//! integrity code over all three messages, and the channel binding. Whoever serves the
//! connection keeps the [`Challenge`] with that one TCP connection and uses it once.
//!
//! Not here: HTTP headers, SPNEGO wrapping, who may sign in. NTLMv1 is refused, as Extended
//! Protection demands.
//!
//! Sources: [MS-NLMP] 2.2.1 (messages), 2.2.2.1 (AV_PAIR), 2.2.2.5 (flags), 3.3.2 (NTLMv2),
//! 3.1.5.1.2 and 3.2.5.1.2 (MIC); RFC 5929 section 4 (tls-server-end-point); Exchange's
//! "Configure Windows Extended Protection" for what Off, Allow and Require mean.

use std::fmt;

use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac};
use md4::{Digest, Md4};
use md5::Md5;
use rc4::{KeyInit, StreamCipher};

const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";
/// Where an AUTHENTICATE_MESSAGE keeps its integrity code ([MS-NLMP] 2.2.1.3).
const MIC: std::ops::Range<usize> = 72..88;

mod flags {
    pub const UNICODE: u32 = 0x0000_0001;
    pub const OEM: u32 = 0x0000_0002;
    pub const REQUEST_TARGET: u32 = 0x0000_0004;
    pub const SIGN: u32 = 0x0000_0010;
    pub const SEAL: u32 = 0x0000_0020;
    pub const NTLM: u32 = 0x0000_0200;
    pub const ALWAYS_SIGN: u32 = 0x0000_8000;
    pub const TARGET_TYPE_DOMAIN: u32 = 0x0001_0000;
    pub const EXTENDED_SESSION_SECURITY: u32 = 0x0008_0000;
    pub const TARGET_INFO: u32 = 0x0080_0000;
    pub const VERSION: u32 = 0x0200_0000;
    pub const KEY_128: u32 = 0x2000_0000;
    pub const KEY_EXCHANGE: u32 = 0x4000_0000;
    pub const KEY_56: u32 = 0x8000_0000;
    /// What a server grants when the client offers it.
    pub const GRANTED: u32 =
        SIGN | SEAL | ALWAYS_SIGN | EXTENDED_SESSION_SECURITY | VERSION | KEY_128 | KEY_EXCHANGE | KEY_56;
}

mod av {
    pub const END: u16 = 0;
    pub const NETBIOS_COMPUTER: u16 = 1;
    pub const NETBIOS_DOMAIN: u16 = 2;
    pub const DNS_COMPUTER: u16 = 3;
    pub const DNS_DOMAIN: u16 = 4;
    pub const DNS_TREE: u16 = 5;
    pub const FLAGS: u16 = 6;
    pub const TIMESTAMP: u16 = 7;
    pub const CHANNEL_BINDINGS: u16 = 10;
    /// The bit of `FLAGS` that says the message carries a MIC.
    pub const FLAG_MIC: u32 = 2;
}

/// How IIS treats the channel binding of a client (`extendedProtection tokenChecking`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExtendedProtection {
    /// Bindings are not looked at.
    Off,
    /// A client without a binding passes, one with a wrong or all-zero binding does not.
    #[default]
    Allow,
    /// The binding must be there and right.
    Require,
}

/// What the connection demands of a channel binding.
#[derive(Clone, Copy, Debug)]
pub struct Channel {
    pub protection: ExtendedProtection,
    /// The value that belongs to this connection's certificate; `None` on plain HTTP.
    pub binding: Option<[u8; 16]>,
}

/// Why a sign-in was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The bytes are not the message that was due; the text says which part.
    Malformed(&'static str),
    /// An NTLMv1 or LM answer.
    NtlmV1,
    /// A sign-in with no user name.
    Anonymous,
    UnknownAccount,
    WrongPassword,
    /// The integrity code does not fit the three messages.
    MessageAltered,
    BindingMissing,
    /// Windows reports this as STATUS_BAD_BINDINGS, 0xC000035B.
    BindingWrong,
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(part) => write!(out, "malformed NTLM message: {part}"),
            Self::NtlmV1 => out.write_str("NTLMv1 is not accepted"),
            Self::Anonymous => out.write_str("anonymous sign-in is not accepted"),
            Self::UnknownAccount => out.write_str("no such account"),
            Self::WrongPassword => out.write_str("wrong password"),
            Self::MessageAltered => out.write_str("the message integrity code is wrong"),
            Self::BindingMissing => out.write_str("the channel binding is missing"),
            Self::BindingWrong => out.write_str("the channel binding is wrong (0xC000035B)"),
        }
    }
}

impl std::error::Error for Refused {}

/// The names a server tells about itself.
#[derive(Clone, Debug)]
pub struct ServerNames {
    pub netbios_domain: String,
    pub netbios_computer: String,
    pub dns_domain: String,
    pub dns_computer: String,
}

/// Who signs in, in the client's own spelling: `DOMAIN` + `user`, or nothing + `user@domain`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub domain: String,
    pub user: String,
}

/// One handshake, from the challenge on. Belongs to one TCP connection.
#[derive(Clone, Debug)]
pub struct Challenge {
    negotiate: Vec<u8>,
    message: Vec<u8>,
    nonce: [u8; 8],
}

impl Challenge {
    /// Answers a NEGOTIATE_MESSAGE with a challenge built on `nonce`.
    pub fn answer(
        negotiate: &[u8],
        names: &ServerNames,
        nonce: [u8; 8],
        now: DateTime<Utc>,
    ) -> Result<Self, Refused> {
        if message_type(negotiate)? != 1 {
            return Err(Refused::Malformed("a NEGOTIATE_MESSAGE was due"));
        }
        let offered = u32_at(negotiate, 12)?;
        let encoding = match offered & (flags::UNICODE | flags::OEM) {
            0 => return Err(Refused::Malformed("neither Unicode nor OEM strings offered")),
            flags::OEM => flags::OEM,
            _ => flags::UNICODE,
        };
        let granted = encoding
            | offered & flags::GRANTED
            | flags::NTLM
            | flags::REQUEST_TARGET
            | flags::TARGET_TYPE_DOMAIN
            | flags::TARGET_INFO;
        let message = challenge_message(granted, names, nonce, now);
        Ok(Self {
            negotiate: negotiate.to_vec(),
            message,
            nonce,
        })
    }

    /// The CHALLENGE_MESSAGE, to be sent base64-encoded after `NTLM `.
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// Judges the AUTHENTICATE_MESSAGE. `password_of` finds the claimed account's password.
    pub fn accept(
        &self,
        authenticate: &[u8],
        channel: Channel,
        password_of: impl FnOnce(&Account) -> Option<String>,
    ) -> Result<Account, Refused> {
        let answer = Authenticate::parse(authenticate)?;
        let password = password_of(&answer.account).ok_or(Refused::UnknownAccount)?;
        let key = ntowf_v2(&password, &answer.account);
        let (proof, blob) = answer.nt_response.split_at(16);
        if hmac_md5(&key, &[&self.nonce, blob])[..] != *proof {
            return Err(Refused::WrongPassword);
        }
        // NTLMv2_CLIENT_CHALLENGE: 28 fixed bytes, then the AV pairs.
        let pairs = blob
            .get(28..)
            .ok_or(Refused::Malformed("client challenge too short"))?;
        self.check_integrity(authenticate, &answer, &hmac_md5(&key, &[proof]), pairs)?;
        check_binding(channel, av_pair(pairs, av::CHANNEL_BINDINGS)?)?;
        Ok(answer.account)
    }

    /// Checks the MIC if the client's flags say that there is one.
    fn check_integrity(
        &self,
        authenticate: &[u8],
        answer: &Authenticate,
        session_base_key: &[u8; 16],
        pairs: &[u8],
    ) -> Result<(), Refused> {
        let flags = match av_pair(pairs, av::FLAGS)? {
            Some(value) => u32_at(value, 0)?,
            None => 0,
        };
        if flags & av::FLAG_MIC == 0 {
            return Ok(());
        }
        let sent = authenticate
            .get(MIC)
            .ok_or(Refused::Malformed("no room for the MIC it announces"))?;
        // In NTLMv2 the key exchange key is the session base key itself ([MS-NLMP] 3.4.5.1).
        let mut exported = *session_base_key;
        if let Some(encrypted) = answer.encrypted_session_key {
            exported = encrypted;
            rc4::Rc4::new(session_base_key.into()).apply_keystream(&mut exported);
        }
        let mut zeroed = authenticate.to_vec();
        zeroed[MIC].fill(0);
        if hmac_md5(&exported, &[&self.negotiate, &self.message, &zeroed])[..] != *sent {
            return Err(Refused::MessageAltered);
        }
        Ok(())
    }
}

fn check_binding(channel: Channel, sent: Option<&[u8]>) -> Result<(), Refused> {
    match (channel.protection, channel.binding, sent) {
        (ExtendedProtection::Off, _, _) => Ok(()),
        (ExtendedProtection::Allow, _, None) => Ok(()),
        (ExtendedProtection::Allow, None, Some(_)) => Ok(()),
        (ExtendedProtection::Require, _, None) => Err(Refused::BindingMissing),
        // Plain HTTP has no channel to bind to, so nothing can satisfy Require there.
        (ExtendedProtection::Require, None, Some(_)) => Err(Refused::BindingWrong),
        (_, Some(due), Some(sent)) if due[..] == *sent => Ok(()),
        (_, Some(_), Some(_)) => Err(Refused::BindingWrong),
    }
}

/// The MsvAvChannelBindings value for a server certificate (DER): MD5 of a
/// gss_channel_bindings_struct whose application data is `tls-server-end-point:` and the
/// certificate's hash. RFC 5929: the hash of the certificate's own signature algorithm,
/// with MD5 and SHA-1 raised to SHA-256. `None` for signatures that name no hash (Ed25519).
pub fn channel_binding(certificate: &[u8]) -> Option<[u8; 16]> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let hash = match parsed.signature_algorithm.algorithm.to_id_string().as_str() {
        // {md5,sha1,sha256}WithRSAEncryption; ecdsa-with-{SHA1,SHA256}
        "1.2.840.113549.1.1.4"
        | "1.2.840.113549.1.1.5"
        | "1.2.840.113549.1.1.11"
        | "1.2.840.10045.4.1"
        | "1.2.840.10045.4.3.2" => sha2::Sha256::digest(certificate).to_vec(),
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => sha2::Sha384::digest(certificate).to_vec(),
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => sha2::Sha512::digest(certificate).to_vec(),
        _ => return None,
    };
    let data = [b"tls-server-end-point:".as_slice(), &hash].concat();
    let mut md5 = Md5::new();
    // Initiator and acceptor address: type and length each, all zero.
    md5.update([0; 16]);
    md5.update(u32::try_from(data.len()).ok()?.to_le_bytes());
    md5.update(&data);
    Some(md5.finalize().into())
}

/// The parts of an AUTHENTICATE_MESSAGE that the verdict needs.
struct Authenticate {
    account: Account,
    nt_response: Vec<u8>,
    encrypted_session_key: Option<[u8; 16]>,
}

impl Authenticate {
    fn parse(message: &[u8]) -> Result<Self, Refused> {
        if message_type(message)? != 3 {
            return Err(Refused::Malformed("an AUTHENTICATE_MESSAGE was due"));
        }
        let unicode = u32_at(message, 60)? & flags::UNICODE != 0;
        let account = Account {
            domain: text(payload(message, 28)?, unicode)?,
            user: text(payload(message, 36)?, unicode)?,
        };
        if account.user.is_empty() {
            return Err(Refused::Anonymous);
        }
        let nt_response = payload(message, 20)?.to_vec();
        if nt_response.len() <= 24 {
            return Err(Refused::NtlmV1);
        }
        let encrypted_session_key = payload(message, 52)?.try_into().ok();
        Ok(Self {
            account,
            nt_response,
            encrypted_session_key,
        })
    }
}

fn challenge_message(granted: u32, names: &ServerNames, nonce: [u8; 8], now: DateTime<Utc>) -> Vec<u8> {
    let target = if granted & flags::UNICODE != 0 {
        utf16(&names.netbios_domain)
    } else {
        names.netbios_domain.clone().into_bytes()
    };
    let info = target_info(names, now);
    let mut message = SIGNATURE.to_vec();
    message.extend(2u32.to_le_bytes());
    let payload_starts = 56;
    message.extend(field(target.len(), payload_starts));
    message.extend(granted.to_le_bytes());
    message.extend(nonce);
    message.extend([0; 8]);
    message.extend(field(info.len(), payload_starts + target.len()));
    // VERSION: Windows Server 2022, NTLMSSP_REVISION_W2K3.
    message.extend([10, 0, 0x7c, 0x4f, 0, 0, 0, 15]);
    message.extend(target);
    message.extend(info);
    message
}

fn target_info(names: &ServerNames, now: DateTime<Utc>) -> Vec<u8> {
    let mut info = Vec::new();
    let mut pair = |id: u16, value: &[u8]| {
        info.extend(id.to_le_bytes());
        info.extend(short(value.len()).to_le_bytes());
        info.extend(value);
    };
    pair(av::NETBIOS_DOMAIN, &utf16(&names.netbios_domain));
    pair(av::NETBIOS_COMPUTER, &utf16(&names.netbios_computer));
    pair(av::DNS_DOMAIN, &utf16(&names.dns_domain));
    pair(av::DNS_COMPUTER, &utf16(&names.dns_computer));
    pair(av::DNS_TREE, &utf16(&names.dns_domain));
    pair(av::TIMESTAMP, &file_time(now).to_le_bytes());
    pair(av::END, &[]);
    info
}

/// FILETIME: steps of 100 ns since 1601-01-01.
fn file_time(now: DateTime<Utc>) -> u64 {
    const EPOCH_DIFFERENCE_S: i64 = 11_644_473_600;
    let seconds = u64::try_from(now.timestamp() + EPOCH_DIFFERENCE_S).unwrap_or(0);
    seconds * 10_000_000 + u64::from(now.timestamp_subsec_nanos() / 100)
}

/// NTOWFv2: HMAC-MD5 keyed with the MD4 of the password over upper-case user and domain.
fn ntowf_v2(password: &str, account: &Account) -> [u8; 16] {
    let hash: [u8; 16] = Md4::digest(utf16(password)).into();
    hmac_md5(
        &hash,
        &[&utf16(&account.user.to_uppercase()), &utf16(&account.domain)],
    )
}

fn hmac_md5(key: &[u8], parts: &[&[u8]]) -> [u8; 16] {
    let mut mac = <Hmac<Md5> as Mac>::new_from_slice(key).expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// The value of one AV pair, if the list has it.
fn av_pair(mut pairs: &[u8], wanted: u16) -> Result<Option<&[u8]>, Refused> {
    const CUT: Refused = Refused::Malformed("AV pairs end early");
    loop {
        let (head, rest) = pairs.split_at_checked(4).ok_or(CUT)?;
        let id = u16::from_le_bytes([head[0], head[1]]);
        let length = usize::from(u16::from_le_bytes([head[2], head[3]]));
        let (value, rest) = rest.split_at_checked(length).ok_or(CUT)?;
        match id {
            av::END => return Ok(None),
            id if id == wanted => return Ok(Some(value)),
            _ => pairs = rest,
        }
    }
}

fn message_type(message: &[u8]) -> Result<u32, Refused> {
    if !message.starts_with(SIGNATURE) {
        return Err(Refused::Malformed("signature"));
    }
    u32_at(message, 8)
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, Refused> {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    four.map(u32::from_le_bytes)
        .ok_or(Refused::Malformed("too short"))
}

/// The bytes that the length-offset field at `at` points to.
fn payload(message: &[u8], at: usize) -> Result<&[u8], Refused> {
    let length = (u32_at(message, at)? & 0xffff) as usize;
    if length == 0 {
        return Ok(&[]);
    }
    let offset = u32_at(message, at + 4)? as usize;
    let end = offset.checked_add(length);
    end.and_then(|end| message.get(offset..end))
        .ok_or(Refused::Malformed("field outside the message"))
}

/// A length-offset field: length, space, offset.
fn field(length: usize, offset: usize) -> [u8; 8] {
    let [a, b] = short(length).to_le_bytes();
    let [c, d] = short(offset).to_le_bytes();
    [a, b, a, b, c, d, 0, 0]
}

/// Our own messages hold a few short names, far below 64 KiB.
fn short(length: usize) -> u16 {
    u16::try_from(length).expect("server names are short")
}

fn text(bytes: &[u8], unicode: bool) -> Result<String, Refused> {
    if !unicode {
        return Ok(bytes.iter().map(|&byte| char::from(byte)).collect());
    }
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    String::from_utf16(&units).map_err(|_| Refused::Malformed("a name is not UTF-16"))
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[cfg(test)]
mod tests;
