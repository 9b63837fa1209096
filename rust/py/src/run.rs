//! The only place that releases the GIL: the core computes in its own threads while the calling
//! thread, which is where Python sees signals, waits, reports progress and polls for Ctrl-C.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use fast_select_core::run::monitor::{Monitor, Stage};
use fast_select_core::run::parallel::with_pool;
use fast_select_core::{Error, Result};
use pyo3::prelude::*;

use crate::error::to_py;
use crate::panics;

/// Time between two polls.
const POLL: Duration = Duration::from_millis(50);

enum Event {
    Begin(Stage, u64),
    End,
}

/// Runs `task` on `n_threads` threads (0: all the process may use) and returns its result.
///
/// `progress(stage, done, total)` is called as a stage begins and at every poll; whatever it raises,
/// or Ctrl-C, stops it and is raised here.
pub fn run<R: Send>(
    py: Python<'_>,
    n_threads: usize,
    progress: Option<Py<PyAny>>,
    task: impl FnOnce(&Monitor) -> Result<R> + Send,
) -> PyResult<R> {
    let (sender, events) = channel();
    let end = sender.clone();
    let monitor = Monitor::new(move |stage, total| {
        // The receiver outlives the task; were it gone, there would be no one to tell.
        let _ = sender.send(Event::Begin(stage, total));
    });
    let report = |stage: Option<Stage>, done: u64, total: u64| {
        Python::attach(|py| {
            py.check_signals()?;
            if let (Some(progress), Some(stage)) = (&progress, stage) {
                progress.call1(py, (stage.name(), done, total))?;
            }
            Ok(())
        })
    };
    py.detach(move || {
        thread::scope(|scope| {
            let monitor = &monitor;
            let worker = thread::Builder::new().spawn_scoped(scope, move || {
                let result = with_pool(n_threads, || task(monitor)).and_then(|result| result);
                let _ = end.send(Event::End);
                result
            });
            let worker = worker.map_err(|err| {
                let fact = format!("{n_threads} cannot be started ({err})");
                to_py(Error::refused("threads", fact).fix("Ask for fewer"))
            })?;
            let (mut stage, mut raised) = (None, None);
            loop {
                let report = |stage, done, total| match raised {
                    None => report(stage, done, total),
                    Some(_) => Ok(()), // told to stop: nothing more to tell
                };
                let polled = match events.recv_timeout(POLL) {
                    Ok(Event::Begin(next, total)) => {
                        stage = Some(next);
                        report(stage, 0, total)
                    }
                    // A worker that panicked sends no end. Stages that began are all read first.
                    Err(RecvTimeoutError::Timeout) if worker.is_finished() => break,
                    Err(RecvTimeoutError::Timeout) => {
                        let (done, total) = monitor.progress();
                        report(stage, done, total)
                    }
                    Ok(Event::End) | Err(RecvTimeoutError::Disconnected) => break,
                };
                if let (Err(err), None) = (polled, &raised) {
                    raised = Some(err);
                    monitor.cancel();
                }
            }
            let result = worker.join();
            match (raised, result) {
                (Some(err), _) => Err(err),
                (None, Ok(result)) => result.map_err(to_py),
                (None, Err(_)) => Err(to_py(panics::as_error())),
            }
        })
    })
}
