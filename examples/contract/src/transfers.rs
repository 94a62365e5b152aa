//! What the contract does.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// The state after `transfers`; `None` if an account has too little, or an input is malformed.
pub fn apply(state: &[u8], transfers: &[u8]) -> Option<Box<[u8]>> {
    let (accounts, []) = state.as_chunks::<12>() else {
        return None;
    };
    let (transfers, []) = transfers.as_chunks::<16>() else {
        return None;
    };
    let mut balances: BTreeMap<u32, u64> = accounts
        .iter()
        .map(|account| Some((u32_at(account, 0)?, u64_at(account, 4)?)))
        .collect::<Option<_>>()?;
    for transfer in transfers {
        let amount = u64_at(transfer, 8)?;
        let from = balances.get_mut(&u32_at(transfer, 0)?)?;
        *from = from.checked_sub(amount)?;
        let to = balances.entry(u32_at(transfer, 4)?).or_default();
        *to = to.checked_add(amount)?;
    }
    let mut next = Vec::with_capacity(balances.len() * 12);
    for (account, balance) in balances {
        next.extend_from_slice(&account.to_le_bytes());
        next.extend_from_slice(&balance.to_le_bytes());
    }
    Some(next.into_boxed_slice())
}

fn u32_at(record: &[u8], place: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*record.get(place..)?.first_chunk()?))
}

fn u64_at(record: &[u8], place: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*record.get(place..)?.first_chunk()?))
}
