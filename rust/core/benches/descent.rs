//! The library of frequencies, twenty steps of the descent of 10 % of the rows, and the last
//! assignment.

#![allow(missing_docs, reason = "criterion makes public functions")]

mod common;

use common::{DIMS, SIZES, clusters};
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use fast_select_core::arrays::matrix::Matrix;
use fast_select_core::descent::cfd::characteristic_function;
use fast_select_core::descent::frequency::{frequency_library, isotropic};
use fast_select_core::descent::{Target, descend};
use fast_select_core::matching::Matcher;
use fast_select_core::numeric::sample::sample_rows;
use fast_select_core::options::Params;
use fast_select_core::run::monitor::Monitor;
use fast_select_core::run::rng::{Purpose, Streams};

/// Frequencies of the library.
const FREQS: usize = 2048;

fn target(x: &Matrix, start: &Matrix, monitor: &Monitor) -> Target {
    let library =
        frequency_library(x.view(), start.view(), FREQS, Streams::new(0), monitor).unwrap();
    let mut rng = Streams::new(0).stream(Purpose::HeldOut, 0);
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
    let params = Params {
        max_steps: 20,
        ..Params::default()
    };
    let params = params.check().unwrap();
    let mut group = c.benchmark_group("descent");
    group.sample_size(10);
    for n in SIZES {
        let x = clusters(n);
        let mut rng = Streams::new(0).stream(Purpose::Init, 0);
        let rows = sample_rows(n, n / 10, &mut rng);
        let start = x.view().gather(&rows);
        group.bench_function(BenchmarkId::new("library", n), |b| {
            b.iter(|| {
                frequency_library(x.view(), start.view(), FREQS, Streams::new(0), &monitor).unwrap()
            });
        });
        let target = target(&x, &start, &monitor);
        let matcher = || Matcher::new(x.view(), None, &rows).unwrap();
        let descended = |mut matcher: Matcher<'_>| {
            descend(&mut matcher, &target, &params, Streams::new(0), &monitor).unwrap()
        };
        group.bench_function(BenchmarkId::new("20 steps", n), |b| {
            b.iter_batched(matcher, descended, BatchSize::LargeInput);
        });
        let y = descended(matcher()).y;
        group.bench_function(BenchmarkId::new("decode", n), |b| {
            b.iter(|| matcher().decode(y.view(), &monitor).unwrap());
        });
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
