//! The library of frequencies, twenty steps of the descent of 10 % of the rows, and the last
//! assignment.

#![allow(missing_docs, reason = "criterion makes public functions")]

mod common;

use common::{DIMS, SIZES, clusters};
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use fast_select_core::baselines::random;
use fast_select_core::cfd::characteristic_function;
use fast_select_core::frequency::{frequency_library, isotropic};
use fast_select_core::linalg::Matrix;
use fast_select_core::matching::Matcher;
use fast_select_core::monitor::Monitor;
use fast_select_core::optimize::{OptimizeOptions, Target, optimize};
use fast_select_core::rng::{Purpose, stream};

/// Frequencies of the library.
const FREQS: usize = 2048;

fn target(x: &Matrix, start: &Matrix, monitor: &Monitor) -> Target {
    let library = frequency_library(x.view(), start.view(), FREQS, 0, 0, monitor).unwrap();
    let mut rng = stream(0, Purpose::HeldOut, 0, 0);
    let held_out = isotropic(FREQS / 4, DIMS, (0.0, 4.0), &mut rng).freqs;
    let values = |freqs: &Matrix| characteristic_function(x.view(), freqs.view(), |_| Ok(()));
    Target {
        reference: values(&library.freqs).unwrap(),
        held_out_reference: values(&held_out).unwrap(),
        library,
        held_out,
    }
}

fn bench(c: &mut Criterion) {
    let monitor = Monitor::default();
    let options = OptimizeOptions {
        max_steps: 20,
        ..OptimizeOptions::default()
    };
    let mut group = c.benchmark_group("descent");
    group.sample_size(10);
    for n in SIZES {
        let x = clusters(n);
        let mut rng = stream(0, Purpose::Init, 0, 0);
        let rows = random(n, n / 10, &mut rng);
        let start = x.view().gather(&rows);
        group.bench_function(BenchmarkId::new("library", n), |b| {
            b.iter(|| frequency_library(x.view(), start.view(), FREQS, 0, 0, &monitor).unwrap());
        });
        let target = target(&x, &start, &monitor);
        let matcher = || Matcher::new(x.view(), None, &rows).unwrap();
        let descend = |(y, mut matcher): (Matrix, Matcher<'_>)| {
            optimize(y, &mut matcher, &target, &options, 0, 0, &monitor).unwrap()
        };
        group.bench_function(BenchmarkId::new("20 steps", n), |b| {
            let start = || (start.clone(), matcher());
            b.iter_batched(start, descend, BatchSize::LargeInput);
        });
        let y = descend((start.clone(), matcher())).y;
        group.bench_function(BenchmarkId::new("decode", n), |b| {
            b.iter(|| matcher().decode(y.view(), &monitor).unwrap());
        });
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
