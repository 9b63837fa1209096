//! A panic of the core is a bug of ours: it is raised as an error that says where, and nothing is
//! printed.

use std::panic;
use std::sync::{Mutex, PoisonError};

use fast_select_core::Error;

/// What the last panic had to say.
static LAST: Mutex<String> = Mutex::new(String::new());

/// Has panics of this library recorded instead of printed; those of others do not come here.
pub fn record() {
    panic::set_hook(Box::new(|info| {
        let text = info.to_string();
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }));
}

/// The error of a thread that panicked.
pub fn as_error() -> Error {
    let text = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let told = text.split_whitespace().collect::<Vec<_>>().join(" ");
    Error::failed("the core", told).fix("Please report this as a bug")
}
