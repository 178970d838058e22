//! Salesforce record ids: 15 characters of base 62, and the 18-character form with its check suffix.
//!
//! The suffix makes the id safe where case is lost: each of its three characters says which of
//! five characters are upper case (help: "Salesforce record ID to 18 digits").

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SUFFIX: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
/// The three-character pod and reserved part that every id of this org carries.
const POD: &str = "5f0";

/// The 18-character id of the `number`th record of the object with this key prefix (`003`, `00Q`).
pub fn id18(prefix: &str, number: u64) -> String {
    let mut tail = [b'0'; 9];
    let mut rest = number;
    for place in tail.iter_mut().rev() {
        *place = BASE62.get((rest % 62) as usize).copied().unwrap_or(b'0');
        rest /= 62;
    }
    let mut id: String = format!("{prefix}{POD}");
    id.extend(tail.iter().map(|byte| char::from(*byte)));
    with_suffix(&id)
}

/// The number within the object that [`id18`] was given; `None` for an id of another org.
pub fn number_of(id: &str) -> Option<u64> {
    let tail = id.get(6..15)?;
    id.get(3..6).filter(|pod| *pod == POD)?;
    tail.bytes().try_fold(0u64, |number, byte| {
        let digit = BASE62.iter().position(|candidate| *candidate == byte)?;
        number.checked_mul(62)?.checked_add(digit as u64)
    })
}

/// The 18-character form of a 15- or 18-character id; `None` if it is neither, or if the suffix is
/// wrong. A right suffix also repairs lost case, as the vendor's does not; so case must match.
pub fn normalize(id: &str) -> Option<String> {
    if !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    match id.len() {
        15 => Some(with_suffix(id)),
        18 => {
            let full = with_suffix(id.get(..15)?);
            full.eq_ignore_ascii_case(id).then_some(full)
        }
        _ => None,
    }
}

fn with_suffix(id15: &str) -> String {
    let mut id = id15.to_owned();
    for chunk in id15.as_bytes().chunks(5) {
        let mut bits = 0usize;
        for (place, byte) in chunk.iter().enumerate() {
            if byte.is_ascii_uppercase() {
                bits |= 1 << place;
            }
        }
        id.push(char::from(SUFFIX.get(bits).copied().unwrap_or(b'A')));
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffix_is_the_vendors() {
        // Example ids from the vendor's documentation.
        assert_eq!(
            normalize("001D000000IRFma").as_deref(),
            Some("001D000000IRFmaIAH")
        );
        assert_eq!(
            normalize("005000000000000").as_deref(),
            Some("005000000000000AAA")
        );
        assert_eq!(normalize("001D000000IRFmaIAX"), None);
        assert_eq!(normalize("short"), None);
    }

    #[test]
    fn number_comes_back_from_the_id() {
        for number in [0, 1, 61, 62, 3_843, 1_000_000_007] {
            assert_eq!(number_of(&id18("00Q", number)), Some(number));
        }
    }
}
