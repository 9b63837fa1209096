//! Checking, scaling and reducing 256 columns to 64 dimensions; and cutting the rows into blocks.

#![allow(missing_docs, reason = "criterion makes public functions")]

mod common;

use common::{SIZES, clusters};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use fast_select_core::numeric::partition::partition;
use fast_select_core::options::ValidParams;
use fast_select_core::prepare::prepare;
use fast_select_core::run::monitor::Monitor;
use ndarray::Array2;

/// Columns of the input.
const WIDE: usize = 256;

fn bench(c: &mut Criterion) {
    let (params, monitor) = (ValidParams::default(), Monitor::default());
    let mut group = c.benchmark_group("prepare");
    group.sample_size(10);
    for n in SIZES {
        let x = clusters(n);
        let wide = Array2::from_shape_fn((n, WIDE), |(i, j)| {
            x.row(i)[j % x.cols()] * ((i + j) % 7) as f32
        });
        group.bench_function(BenchmarkId::new("reduce", n), |b| {
            b.iter(|| prepare(&wide.view(), &params, &monitor).unwrap());
        });
        group.bench_function(BenchmarkId::new("partition", n), |b| {
            b.iter(|| partition(x.view(), 4, &monitor).unwrap());
        });
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
