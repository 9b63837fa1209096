//! How the process ends where nothing can be raised: memory that cannot be had inside the core, and a
//! mapped file that is cut short.
//!
//! The command asks for a line on stderr and exit code 1 instead of a core dump. A library never
//! exits: without [`exit_on_faults`] all stays as it is.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::OnceLock;

use pyo3::prelude::*;

/// What to say when memory cannot be had, and on a bus error.
static WORDS: OnceLock<[Vec<u8>; 2]> = OnceLock::new();

/// The system's allocator, whose refusal ends the command.
struct LastWords;

#[global_allocator]
static ALLOCATOR: LastWords = LastWords;

// SAFETY: every call is passed on to `System` as it is.
unsafe impl GlobalAlloc for LastWords {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        given(unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        given(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        given(unsafe { System.realloc(old, layout, size) })
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        unsafe { System.dealloc(old, layout) }
    }
}

#[inline]
fn given(memory: *mut u8) -> *mut u8 {
    if memory.is_null() {
        end(0);
    }
    memory
}

/// Says the words, if there are any, and exits; calls nothing that a signal handler may not call.
#[cold]
fn end(which: usize) {
    if let Some(words) = WORDS.get() {
        system::say_and_exit(&words[which]);
    }
}

/// From now on, writes `out_of_memory` or `bus_error` on stderr and exits with 1 where the core
/// cannot have memory, or a mapped file is cut short. The first call counts.
#[pyfunction]
fn exit_on_faults(out_of_memory: Vec<u8>, bus_error: Vec<u8>) {
    if WORDS.set([out_of_memory, bus_error]).is_ok() {
        system::on_bus_error();
    }
}

/// Whether `bytes` more can be had now: they are asked for and given back untouched.
#[pyfunction]
fn can_have(bytes: usize) -> bool {
    system::can_map(bytes)
}

#[cfg(unix)]
mod system {
    use std::ffi::c_int;
    use std::ptr;

    pub fn say_and_exit(words: &[u8]) -> ! {
        // SAFETY: both are async-signal-safe, and `words` lives as long as the process.
        unsafe {
            libc::write(libc::STDERR_FILENO, words.as_ptr().cast(), words.len());
            libc::_exit(1)
        }
    }

    extern "C" fn bus_error(_signal: c_int) {
        super::end(1);
    }

    pub fn on_bus_error() {
        let handler: extern "C" fn(c_int) = bus_error;
        // SAFETY: the handler only writes and exits.
        unsafe {
            libc::signal(libc::SIGBUS, handler as libc::sighandler_t);
        }
    }

    pub fn can_map(bytes: usize) -> bool {
        // SAFETY: a new private mapping, which nobody has a pointer to as it is unmapped.
        unsafe {
            let memory = libc::mmap(
                ptr::null_mut(),
                bytes.max(1),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANON,
                -1,
                0,
            );
            memory != libc::MAP_FAILED && libc::munmap(memory, bytes.max(1)) == 0
        }
    }
}

#[cfg(not(unix))]
mod system {
    pub fn say_and_exit(words: &[u8]) -> ! {
        use std::io::Write;
        let _ = std::io::stderr().write_all(words);
        std::process::exit(1)
    }

    pub fn on_bus_error() {}

    pub fn can_map(_bytes: usize) -> bool {
        true
    }
}

/// Adds what this file defines to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(exit_on_faults, m)?)?;
    m.add_function(wrap_pyfunction!(can_have, m)?)
}
