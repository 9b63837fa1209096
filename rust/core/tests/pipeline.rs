//! Whole pipelines from outside: a matrix in, rows and figures out.

use fast_select_core::Error;
use fast_select_core::options::{Choice, Method, Params, ValidParams};
use fast_select_core::prepare::{Prepared, prepare};
use fast_select_core::quality::evaluate::{Judging, evaluate};
use fast_select_core::run::monitor::{Monitor, Stage};
use fast_select_core::run::parallel::with_pool;
use fast_select_core::select::request::Request;
use fast_select_core::select::select_rows;
use ndarray::Array2;

const ROWS: usize = 900;

fn points() -> Array2<f64> {
    Array2::from_shape_fn((ROWS, 4), |(i, j)| {
        let phase = (i * (j + 3)) as f64 * 0.618_034;
        phase.fract() + f64::from(u8::from(i % 2 == 0))
    })
}

fn params(method: Method) -> ValidParams {
    let params = Params {
        method,
        max_steps: 20,
        ..Params::default()
    };
    params.check().unwrap()
}

fn prepared() -> Prepared {
    let params = ValidParams::default();
    prepare(&points().view(), &params, &Monitor::default()).unwrap()
}

fn methods() -> impl Iterator<Item = Method> {
    Method::NAMES.iter().filter_map(|name| Method::named(name))
}

#[test]
fn every_method_gives_the_rows_asked_for_at_any_number_of_threads() {
    let prepared = prepared();
    let labels: Vec<i64> = (0..ROWS as i64).map(|i| i % 2).collect();
    for method in methods() {
        for labels in [None, Some(&labels[..])] {
            let request = Request {
                labels,
                ..Request::of(90)
            };
            let run = |threads| {
                with_pool(threads, || {
                    select_rows(&prepared, request, &params(method), &Monitor::default())
                })
                .unwrap()
                .unwrap()
            };
            let selected = run(1);
            assert_eq!(selected, run(4), "{}", method.name());
            assert_eq!(selected.rows.len(), 90);
            assert!(selected.rows.windows(2).all(|w| w[0] < w[1]));
            if labels.is_some() {
                let even = selected.rows.iter().filter(|row| *row % 2 == 0);
                assert_eq!(even.count(), 45);
            }
        }
    }
}

#[test]
fn stages_are_told_in_order_and_counted_to_their_ends() {
    for method in methods() {
        let (sender, begun) = std::sync::mpsc::channel();
        let monitor = Monitor::new(move |stage: Stage, _| sender.send(stage.name()).unwrap());
        let prepared = prepare(&points().view(), &params(method), &monitor).unwrap();
        select_rows(&prepared, Request::of(90), &params(method), &monitor).unwrap();
        let (done, total) = monitor.progress();
        assert_eq!(done, total, "{}", method.name());
        let begun: Vec<&str> = begun.try_iter().collect();
        assert_eq!(begun[0], "prepare");
        assert_eq!(begun.contains(&"optimize"), method.descends());
        assert_eq!(begun.contains(&"exchange"), method.exchanges());
    }
}

#[test]
fn a_stop_is_heeded_in_every_method() {
    let prepared = prepared();
    for method in methods() {
        let monitor = Monitor::default();
        monitor.cancel();
        let stopped = select_rows(&prepared, Request::of(90), &params(method), &monitor);
        assert_eq!(stopped, Err(Error::Interrupted));
    }
}

#[test]
fn constraints_are_kept_or_refused() {
    let prepared = prepared();
    let request = Request {
        include: &[3, 4],
        exclude: &[5, 6, 7],
        ..Request::of(20)
    };
    for method in methods() {
        let selected = select_rows(&prepared, request, &params(method), &Monitor::default());
        if method.takes_constraints() {
            let rows = selected.unwrap().rows;
            assert!(rows.contains(&3) && rows.contains(&4));
            assert!(!rows.iter().any(|row| (5..8).contains(row)));
        } else {
            let refused = selected.unwrap_err().to_string();
            assert!(refused.starts_with("method: "), "{refused}");
        }
    }
}

#[test]
fn the_default_is_better_than_every_random_selection() {
    let prepared = prepared();
    let params = ValidParams::default();
    let selected = select_rows(&prepared, Request::of(60), &params, &Monitor::default()).unwrap();
    let indices: Vec<i64> = selected.rows.into_iter().map(i64::from).collect();
    let judging = Judging {
        n_random: 20,
        with_discrepancies: true,
        block_rows: params.block_rows,
        seed: 3,
    };
    let judged = evaluate(
        &prepared,
        &indices,
        None,
        None,
        judging,
        &Monitor::default(),
    )
    .unwrap();
    for name in ["cfd_m", "coverage_mean", "sliced_wasserstein"] {
        let own = judged.selection.iter().find(|(n, _)| *n == name).unwrap().1;
        let drawn = judged.random.iter().find(|s| s.name == name).unwrap();
        assert!(
            drawn.values.iter().all(|v| own < *v),
            "{name}: {own} {drawn:?}"
        );
    }
}
