//! One-to-one assignment on 32 candidates: cold, and warm after the costs have changed a little.

#![allow(missing_docs, reason = "criterion makes public functions")]

mod common;

use common::{SIZES, clusters};
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use fast_select_core::graph::knn::knn;
use fast_select_core::kernels::squared_distance::squared_distance;
use fast_select_core::matching::assignment::Assignment;
use fast_select_core::matching::candidate_lists::CandidateLists;
use fast_select_core::run::monitor::Monitor;

/// Every row may keep its own column, so that a matching exists; `shift` moves all costs.
fn lists(n: usize, shift: f64) -> CandidateLists {
    let x = clusters(n);
    let near = knn(x.view(), 31, &Monitor::default()).unwrap();
    let mut lists = CandidateLists::default();
    for i in 0..n {
        lists.push(i as u32, 0.5 + shift * (i % 7) as f64);
        for &j in &near.indices[i * near.k..(i + 1) * near.k] {
            let d = f64::from(squared_distance(x.row(i), x.row(j as usize)));
            lists.push(j, d + shift * (j % 5) as f64);
        }
        lists.end_row();
    }
    lists
}

fn bench(c: &mut Criterion) {
    let monitor = Monitor::default();
    let mut group = c.benchmark_group("assignment");
    group.sample_size(10);
    for n in SIZES {
        let (first, second) = (lists(n, 0.0), lists(n, 1e-3));
        group.bench_function(BenchmarkId::new("cold", n), |b| {
            b.iter(|| {
                Assignment::new(n, n)
                    .unwrap()
                    .solve(&first, &monitor)
                    .unwrap()
            });
        });
        let mut solved = Assignment::new(n, n).unwrap();
        solved.solve(&first, &monitor).unwrap();
        group.bench_function(BenchmarkId::new("warm", n), |b| {
            b.iter_batched(
                || solved.clone(),
                |mut warm| warm.solve(&second, &monitor).unwrap(),
                BatchSize::LargeInput,
            );
        });
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
