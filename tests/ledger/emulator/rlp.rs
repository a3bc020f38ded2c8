//! Transactions as they come over the wire: RLP, only as much of it as the app reads.

/// The bytes that a transaction has in all: its type byte if it has one, and one RLP list.
pub fn transaction_length(bytes: &[u8]) -> Option<usize> {
    let (prefix, list) = untyped(bytes);
    let (header, length) = rlp_header(list).filter(|_| list[0] >= 0xc0)?;
    Some(prefix + header + length)
}

fn untyped(bytes: &[u8]) -> (usize, &[u8]) {
    if bytes.first() == Some(&2) { (1, &bytes[1..]) } else { (0, bytes) }
}

/// Header and content length of the RLP item at the beginning.
fn rlp_header(bytes: &[u8]) -> Option<(usize, usize)> {
    let long = |first: u8, base: u8| {
        let count = usize::from(first - base);
        let length = bytes.get(1..=count)?.iter().fold(0, |sum, b| sum << 8 | usize::from(*b));
        Some((1 + count, length))
    };
    match *bytes.first()? {
        0..0x80 => Some((0, 1)),
        first @ 0x80..=0xb7 => Some((1, usize::from(first - 0x80))),
        first @ 0xb8..=0xbf => long(first, 0xb7),
        first @ 0xc0..=0xf7 => Some((1, usize::from(first - 0xc0))),
        first => long(first, 0xf7),
    }
}

/// The fields of a whole transaction.
pub fn transaction_fields(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let (_, list) = untyped(bytes);
    let (header, length) = rlp_header(list)?;
    let mut rest = list.get(header..header + length)?;
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let (header, length) = rlp_header(rest)?;
        fields.push(rest.get(header..header + length)?);
        rest = &rest[header + length..];
    }
    Some(fields)
}

pub fn has_data(bytes: &[u8]) -> bool {
    let at = if bytes.first() == Some(&2) { 7 } else { 5 };
    transaction_fields(bytes).is_none_or(|fields| fields.get(at).is_none_or(|data| !data.is_empty()))
}

/// Returns the number to add to the parity: 0 for EIP-1559, 35 + 2·chainId for a legacy transaction.
pub fn transaction_v(bytes: &[u8]) -> u8 {
    if bytes.first() == Some(&2) {
        return 0;
    }
    let fields = transaction_fields(bytes).unwrap();
    let chain = fields.get(6).and_then(|id| id.last().copied()).unwrap();
    35_u8.wrapping_add(chain.wrapping_mul(2))
}
