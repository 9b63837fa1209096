//! Exact k nearest neighbours.

#![allow(missing_docs, reason = "criterion makes public functions")]

mod common;

use common::{SIZES, clusters};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use fast_select_core::graph::knn::knn;
use fast_select_core::run::monitor::Monitor;

fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("knn");
    group.sample_size(10);
    for n in SIZES {
        let x = clusters(n);
        group.bench_with_input(BenchmarkId::from_parameter(n), &x, |b, x| {
            b.iter(|| knn(x.view(), 32, &Monitor::default()).unwrap());
        });
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
