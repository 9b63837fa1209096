//! Kernel sums of a block, and exchange from a random start of 10 % of its rows.

#![allow(missing_docs, reason = "criterion makes public functions")]

mod common;

use common::{SIZES, clusters};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use fast_select_core::baselines::random;
use fast_select_core::block::Block;
use fast_select_core::exchange::ExchangeOptions;
use fast_select_core::monitor::Monitor;
use fast_select_core::rng::{Purpose, stream};

fn bench(c: &mut Criterion) {
    let (options, monitor) = (ExchangeOptions::default(), Monitor::default());
    let mut group = c.benchmark_group("exchange");
    group.sample_size(10);
    for n in SIZES.map(|n| n.min(options.block_rows)) {
        let x = clusters(n);
        let made = || Block::new(x.view(), options.base_radius, &monitor).unwrap();
        group.bench_function(BenchmarkId::new("block", n), |b| b.iter(made));
        let block = made();
        group.bench_function(BenchmarkId::new("search", n), |b| {
            b.iter(|| {
                let mut rng = stream(0, Purpose::Exchange, 0, 0);
                let mut picked = random(n, n / 10, &mut rng);
                let swaps = block.exchange(&mut picked, &[], &options, &mut rng, &monitor);
                swaps.unwrap()
            });
        });
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
