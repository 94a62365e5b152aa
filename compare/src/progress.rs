//! The progress bar of a long step, with the time left.

use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// A bar of `length` steps that says what is going on; on a stream that is not a terminal it stays silent.
pub fn bar(length: u64, what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:>20} [{bar:30}] {pos}/{len}, {eta} left  {wide_msg}")
        .expect("the template is valid")
        .progress_chars("=> ");
    let bar = ProgressBar::new(length).with_style(style);
    bar.set_prefix(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}
