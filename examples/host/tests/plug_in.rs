//! The plug-in stays under its ceiling, says when memory runs out, and goes on.

use examples_host::plug_in::{CEILING_PAGES, Manner, PlugIn, build_module, line};

/// Hands over lines of the log, more than there is room for; then the plug-in must have the lines that it has not reported as
/// forgotten.
fn assert_goes_on(plug_in: &mut PlugIn, lines: u64) {
    for number in 0..lines {
        plug_in.keep(&line(number)).expect("the plug-in must not be ended");
    }
    let reports = plug_in.take_reports();
    assert!(reports.len() >= 3, "{reports:?}");
    let forgotten: u64 = reports.iter().map(|report| u64::from(report.forgotten_lines)).sum();
    assert_eq!(u64::from(plug_in.lines_with("").unwrap()), lines - forgotten);
    for number in [forgotten, (forgotten + lines) / 2, lines - 1] {
        assert_eq!(plug_in.lines_with(&line(number)).unwrap(), 1, "line {number}");
    }
    assert_eq!(plug_in.lines_with(&line(forgotten - 1)).unwrap(), 0);
}

#[test]
fn under_its_ceiling_the_plug_in_outlives_a_host_that_ends_it_for_asking() {
    let mut plug_in = PlugIn::new(&build_module(), CEILING_PAGES as usize, Manner::Ends).unwrap();
    assert_goes_on(&mut plug_in, 150_000);
    assert_eq!(plug_in.pages(), CEILING_PAGES);
}

#[test]
fn a_host_that_refuses_below_the_ceiling_is_survived_too() {
    let mut plug_in = PlugIn::new(&build_module(), 40, Manner::Refuses).unwrap();
    assert_goes_on(&mut plug_in, 100_000);
    assert!(plug_in.pages() <= 40);
}

#[test]
fn a_host_that_ends_it_for_asking_for_less_than_the_ceiling_is_not() {
    let mut plug_in = PlugIn::new(&build_module(), 40, Manner::Ends).unwrap();
    let ended = (0..150_000).any(|number| plug_in.keep(&line(number)).is_err());
    assert!(ended);
}

#[test]
fn the_longest_lines_are_kept_and_longer_ones_refused() {
    let mut plug_in = PlugIn::new(&build_module(), CEILING_PAGES as usize, Manner::Ends).unwrap();
    for number in 0..500 {
        let text = format!("{number:04}").repeat(1 << 14);
        plug_in.keep(&text).unwrap();
        assert_eq!(plug_in.lines_with(&text).unwrap(), 1);
    }
    assert!(plug_in.take_reports().len() > 3);
    assert!(plug_in.keep(&"x".repeat((1 << 16) + 1)).is_err());
    plug_in.keep("and on").unwrap();
    assert_eq!(plug_in.lines_with("and on").unwrap(), 1);
}
