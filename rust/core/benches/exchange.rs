//! Kernel sums of a block, and exchange from a random start of 10 % of its rows.

#![allow(missing_docs, reason = "criterion makes public functions")]

mod common;

use common::{SIZES, clusters};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use fast_select_core::exchange::block::Block;
use fast_select_core::exchange::rules::Rules;
use fast_select_core::numeric::sample::sample_rows;
use fast_select_core::options::ValidParams;
use fast_select_core::run::monitor::Monitor;
use fast_select_core::run::rng::{Purpose, Streams};

fn bench(c: &mut Criterion) {
    let (params, monitor) = (ValidParams::default(), Monitor::default());
    let mut group = c.benchmark_group("exchange");
    group.sample_size(10);
    for n in SIZES.map(|n| n.min(params.block_rows)) {
        let x = clusters(n);
        let made = || {
            let mut rng = Streams::new(0).stream(Purpose::Exchange, 0);
            Block::new(x.view(), n / 10, params.base_radius, &mut rng, &monitor).unwrap()
        };
        group.bench_function(BenchmarkId::new("block", n), |b| b.iter(made));
        let block = made();
        group.bench_function(BenchmarkId::new("search", n), |b| {
            b.iter(|| {
                let mut rng = Streams::new(0).stream(Purpose::Exchange, 0);
                let mut picked = sample_rows(n, n / 10, &mut rng);
                let swaps = block.exchange(
                    &mut picked,
                    Rules::default(),
                    None,
                    &params,
                    &mut rng,
                    &monitor,
                );
                swaps.unwrap()
            });
        });
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
