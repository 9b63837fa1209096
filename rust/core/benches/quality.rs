//! Quality of 21 selections of 10 % of the rows.

#![allow(missing_docs, reason = "criterion makes public functions")]

mod common;

use common::{SIZES, clusters};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use fast_select_core::numeric::sample::sample_rows;
use fast_select_core::quality::cell_distance::{cell_distances, cells};
use fast_select_core::quality::copies::Copies;
use fast_select_core::quality::qualities;
use fast_select_core::run::monitor::Monitor;
use fast_select_core::run::rng::{Purpose, Streams};

fn bench(c: &mut Criterion) {
    let (streams, monitor) = (Streams::new(0), Monitor::default());
    let mut group = c.benchmark_group("quality");
    group.sample_size(10);
    for n in SIZES {
        let x = clusters(n);
        let mut rng = Streams::new(0).stream(Purpose::Samples, 0);
        let mut selections: Vec<_> = (0..21).map(|_| sample_rows(n, n / 10, &mut rng)).collect();
        selections.iter_mut().for_each(|rows| rows.sort_unstable());
        group.bench_function(BenchmarkId::new("all", n), |b| {
            b.iter(|| qualities(x.view(), &selections, &[], streams, &monitor).unwrap());
        });
        group.bench_function(BenchmarkId::new("in cells", n), |b| {
            b.iter(|| {
                let cells = cells(x.view(), n / 10, &monitor).unwrap();
                let copies = Copies::of(x.view(), &monitor).unwrap();
                cell_distances(x.view(), &cells, &copies, &selections, &monitor).unwrap()
            });
        });
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
