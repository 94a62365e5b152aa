//! Orders: the size classes of the original algorithm, powers of two from 8 bytes. Arithmetic only.

use super::error::Error;

/// The bytes of the smallest block, of order 0.
pub(crate) const MIN_BLOCK_BYTES: u32 = 8;

/// The highest order there is, of blocks with 2^31 bytes: a larger power of two is no `u32`.
const MAX_ORDER: u32 = 31 - MIN_BLOCK_BYTES.trailing_zeros();
const _: () = assert!(MAX_ORDER == 28);

/// How many free lists there are: a power of two, so that a masked index needs no bounds check.
pub(crate) const LISTS: usize = 32;
const _: () = assert!(MAX_ORDER < LISTS as u32);

/// The size class of a block: its payload has 8 bytes times 2 to the power of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Order(u32);

impl Order {
    /// The order of the smallest blocks.
    pub(crate) const MIN: Order = Order(0);

    /// The smallest order whose blocks hold `bytes`.
    ///
    /// # Errors
    ///
    /// [`Error::RequestedAllocationTooLarge`] if that is above `max`.
    pub(crate) const fn holding(bytes: u32, max: Order) -> Result<Self, Error> {
        let order = if bytes <= MIN_BLOCK_BYTES {
            0
        } else {
            // log2 of the next power of two, less log2 of the smallest one; 29 for more than 2^31 bytes.
            32 - (bytes - 1).leading_zeros() - MIN_BLOCK_BYTES.trailing_zeros()
        };
        if order <= max.0 {
            Ok(Order(order))
        } else {
            Err(Error::RequestedAllocationTooLarge)
        }
    }

    /// The order whose blocks hold `bytes`, or the highest one if none does.
    pub(crate) const fn holding_at_most(bytes: u32) -> Self {
        match Self::holding(bytes, Order(MAX_ORDER)) {
            Ok(order) => order,
            Err(_) => Order(MAX_ORDER),
        }
    }

    /// The order that a header names, if it is one of 0 to `max`.
    pub(crate) const fn from_number(number: u32, max: Order) -> Option<Self> {
        if number <= max.0 { Some(Order(number)) } else { None }
    }

    /// The order as a header states it, 0 to 28.
    pub(crate) const fn number(self) -> u32 {
        self.0
    }

    /// The payload of a block of this order in bytes, without the header.
    pub(crate) const fn block_bytes(self) -> u32 {
        MIN_BLOCK_BYTES << self.0
    }
}

#[cfg(test)]
mod tests {
    //! In this file since `Order` is private.
    use super::*;

    #[test]
    fn an_order_is_the_smallest_that_holds_the_request() {
        let max = Order::holding_at_most(1 << 24);
        for bytes in (0..=(1u32 << 24)).step_by(if cfg!(miri) { 65_521 } else { 1 }) {
            let order = Order::holding(bytes, max).unwrap();
            assert!(order.block_bytes() >= bytes);
            assert!(order.0 == 0 || order.block_bytes() / 2 < bytes, "{bytes}");
        }
    }

    #[test]
    fn sixteen_mib_makes_orders_0_to_21_and_one_byte_more_is_too_large() {
        let max = Order::holding_at_most(1 << 24);
        assert_eq!(max.number(), 21);
        assert_eq!(Order::holding(1 << 24, max), Ok(max));
        assert_eq!(
            Order::holding((1 << 24) + 1, max),
            Err(Error::RequestedAllocationTooLarge)
        );
        assert_eq!(Order::from_number(21, max), Some(max));
        assert_eq!(Order::from_number(22, max), None);
    }

    #[test]
    fn the_highest_order_has_two_gib_and_nothing_wraps_above_it() {
        let max = Order::holding_at_most(u32::MAX);
        assert_eq!(max.block_bytes(), 1 << 31);
        assert_eq!(Order::holding(1 << 31, max), Ok(max));
        assert_eq!(
            Order::holding((1 << 31) + 1, max),
            Err(Error::RequestedAllocationTooLarge)
        );
        assert_eq!(Order::holding(u32::MAX, max), Err(Error::RequestedAllocationTooLarge));
    }
}
