//! Characteristic function of all rows, and the gradient of the distance from it.

#![allow(missing_docs, reason = "criterion makes public functions")]

mod common;

use common::{DIMS, SIZES, clusters};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use fast_select_core::descent::cfd::{Batch, characteristic_function, pd_cfd_gradient};
use fast_select_core::descent::frequency::isotropic;
use fast_select_core::run::rng::{Purpose, Streams};

fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("cfd");
    group.sample_size(10);
    let mut rng = Streams::new(2).stream(Purpose::Frequencies, 0);
    let library = isotropic(2048, DIMS, (0.0, 4.0), &mut rng).freqs;
    let batch = isotropic(256, DIMS, (0.0, 4.0), &mut rng).freqs;
    let weights = vec![0.3; 256];
    for n in SIZES {
        let x = clusters(n);
        group.bench_function(BenchmarkId::new("value", n), |b| {
            b.iter(|| characteristic_function(x.view(), library.view(), |_| Ok(())).unwrap());
        });
        let target = characteristic_function(x.view(), batch.view(), |_| Ok(())).unwrap();
        let y = x.view().gather(&(0..n as u32 / 10).collect::<Vec<_>>());
        let (mut phases, mut grad) = (Vec::new(), vec![0.0; y.as_slice().len()]);
        group.bench_function(BenchmarkId::new("gradient", n / 10), |b| {
            b.iter(|| {
                let batch = Batch {
                    freqs: batch.view(),
                    target: &target,
                    phase_weights: &weights,
                };
                pd_cfd_gradient(y.view(), batch, 1.0, &mut phases, &mut grad).unwrap()
            });
        });
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
