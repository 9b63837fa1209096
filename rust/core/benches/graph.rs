//! Fuzzy graph, joining of components, spectral embedding.

#![allow(missing_docs, reason = "criterion makes public functions")]

mod common;

use common::{SIZES, clusters};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use fast_select_core::graph::connect::connect;
use fast_select_core::graph::fuzzy::fuzzy_simplicial_set;
use fast_select_core::graph::knn::knn;
use fast_select_core::run::monitor::Monitor;
use fast_select_core::run::rng::Streams;
use fast_select_core::spectral::spectral_embedding;

fn bench(c: &mut Criterion) {
    let monitor = Monitor::default();
    let mut group = c.benchmark_group("graph");
    group.sample_size(10);
    for n in SIZES {
        let x = clusters(n);
        let near = knn(x.view(), 32, &monitor).unwrap();
        let fuzzy = || fuzzy_simplicial_set(&near, n, &[8, 16, 32], &monitor).unwrap();
        group.bench_function(BenchmarkId::new("fuzzy", n), |b| b.iter(fuzzy));
        let made = fuzzy();
        group.bench_function(BenchmarkId::new("connect", n), |b| {
            b.iter(|| connect(made.clone(), x.view(), &monitor).unwrap());
        });
        let graph = connect(made, x.view(), &monitor).unwrap().graph;
        group.bench_function(BenchmarkId::new("spectral", n), |b| {
            b.iter(|| spectral_embedding(&graph, 32, 1e-4, Streams::new(0), &monitor).unwrap());
        });
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
