//! Quality of 21 selections of 10 % of the rows.

#![allow(missing_docs, reason = "criterion makes public functions")]

mod common;

use common::{SIZES, clusters};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use fast_select_core::baselines::random;
use fast_select_core::cell_distance::cell_distances;
use fast_select_core::monitor::Monitor;
use fast_select_core::quality::{QualityOptions, qualities};
use fast_select_core::rng::{Purpose, stream};

fn bench(c: &mut Criterion) {
    let (options, monitor) = (QualityOptions::default(), Monitor::default());
    let mut group = c.benchmark_group("quality");
    group.sample_size(10);
    for n in SIZES {
        let x = clusters(n);
        let mut rng = stream(0, Purpose::Samples, 0, 0);
        let mut selections: Vec<_> = (0..21).map(|_| random(n, n / 10, &mut rng)).collect();
        selections.iter_mut().for_each(|rows| rows.sort_unstable());
        group.bench_function(BenchmarkId::new("all", n), |b| {
            b.iter(|| qualities(x.view(), &selections, &options, &monitor).unwrap());
        });
        group.bench_function(BenchmarkId::new("in cells", n), |b| {
            b.iter(|| cell_distances(x.view(), &selections, &monitor).unwrap());
        });
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
