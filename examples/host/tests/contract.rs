//! The contract moves balances, imports nothing, and is small with the allocator that it has.

use examples_host::contract::{ALLOCATORS, Account, Contract, Transfer, build_with};

#[test]
fn with_each_allocator_the_contract_moves_what_is_there_and_refuses_what_is_not() {
    for allocator in ALLOCATORS {
        let mut contract = Contract::new(&build_with(allocator)).unwrap();
        let accounts = [(1, 100), (2, 50)];
        let next = contract.apply(&accounts, &[(1, 2, 30), (2, 3, 75)]).unwrap();
        assert_eq!(next, Some(vec![(1, 70), (2, 5), (3, 75)]), "{allocator}");
        for refused in [(1, 2, 101), (3, 1, 1)] {
            assert_eq!(
                contract.apply(&accounts, &[(1, 2, 30), refused]).unwrap(),
                None,
                "{allocator}"
            );
        }
    }
}

#[test]
fn a_contract_that_lives_on_takes_no_more_memory() {
    let mut contract = Contract::new(&build_with(ALLOCATORS[0])).unwrap();
    let mut accounts: Vec<Account> = (0..5_000).map(|number| (number, 1_000_000)).collect();
    let mut pages = 0;
    for round in 0..100 {
        let transfers: Vec<Transfer> = (0..5_000)
            .map(|number| (number, (number + round) % 5_000, 17))
            .collect();
        accounts = contract.apply(&accounts, &transfers).unwrap().unwrap();
        assert_eq!(
            accounts.iter().map(|(_, balance)| balance).sum::<u64>(),
            5_000 * 1_000_000
        );
        if round == 1 {
            pages = contract.pages();
        }
    }
    assert_eq!(contract.pages(), pages);
}

#[test]
fn the_contracts_own_allocator_takes_less_code_than_those_that_do_more() {
    let own = build_with(ALLOCATORS[0]).len();
    for allocator in ["talc", "wee_alloc", "freeing-bump", "dlmalloc"] {
        let other = build_with(allocator).len();
        assert!(own < other, "{own} bytes, and {other} with {allocator}");
    }
}
