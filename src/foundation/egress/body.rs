//! Bodies, whole and capped: so many bytes on the wire, so many when unpacked.

use super::error::EgressError;
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use std::io::Read;

/// How much of an answer is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimits {
    /// Bytes as they come from the wire.
    pub wire: usize,
    /// Bytes once unpacked.
    pub decoded: usize,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self {
            wire: 32 << 20,
            decoded: 64 << 20,
        }
    }
}

/// Reads the body to its end and unpacks it; `headers` then describe what is returned.
pub(super) async fn collect(
    headers: &mut HeaderMap,
    body: Incoming,
    limits: &BodyLimits,
) -> Result<Bytes, EgressError> {
    let packed = gather(body, limits.wire).await?;
    let Some(encoding) = headers.get(CONTENT_ENCODING) else {
        return Ok(packed);
    };
    let plain = match encoding.as_bytes() {
        b"identity" => packed,
        b"gzip" | b"x-gzip" => unpack(&packed, limits.decoded)?,
        _ => {
            return Err(EgressError::Protocol {
                what: "an encoding that was not asked for",
                source: None,
            });
        }
    };
    headers.remove(CONTENT_ENCODING);
    headers.remove(CONTENT_LENGTH);
    Ok(plain)
}

async fn gather(mut body: Incoming, limit: usize) -> Result<Bytes, EgressError> {
    let promised = body.size_hint().lower();
    if promised > limit as u64 {
        return Err(EgressError::TooLarge { limit });
    }
    let mut whole = Vec::with_capacity(promised as usize);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(EgressError::exchange)?;
        let Some(data) = frame.data_ref() else { continue };
        if whole.len() + data.len() > limit {
            return Err(EgressError::TooLarge { limit });
        }
        whole.extend_from_slice(data);
    }
    Ok(whole.into())
}

fn unpack(packed: &[u8], limit: usize) -> Result<Bytes, EgressError> {
    let mut plain = Vec::new();
    // One byte more than the limit tells a body that fills it from one that exceeds it.
    MultiGzDecoder::new(packed)
        .take(limit as u64 + 1)
        .read_to_end(&mut plain)
        .map_err(|_| EgressError::Protocol {
            what: "a damaged gzip body",
            source: None,
        })?;
    if plain.len() > limit {
        return Err(EgressError::TooLarge { limit });
    }
    Ok(plain.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    #[test]
    fn a_small_body_that_unpacks_to_a_large_one_is_refused_at_the_limit() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&vec![0; 1 << 20]).expect("written to memory");
        let packed = encoder.finish().expect("finished in memory");
        assert!(packed.len() < 4096);
        assert!(matches!(
            unpack(&packed, (1 << 20) - 1),
            Err(EgressError::TooLarge { .. })
        ));
        assert_eq!(
            unpack(&packed, 1 << 20).map(|plain| plain.len()).ok(),
            Some(1 << 20)
        );
    }
}
