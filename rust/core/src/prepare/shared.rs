//! The preparation by a crew: each member reads some of the rows, and Z lies where all can read it.
//!
//! The same numbers as [`prepare()`](crate::prepare::prepare()) makes, entry by entry: the sums are over the same
//! parts in the same order, and an entry of a product does not depend on the rows beside its own.

use std::ops::Range;

use crate::arrays::bytes::{Bytes, Reader, Writer};
use crate::arrays::matrix::Matrix;
use crate::crew::seal::{Seal, hash, sealed};
use crate::crew::{Crew, Piece, Scope, gather, is_done, once, result, share};
use crate::kernels::product::matmul_nn;
use crate::numeric::median_distance::{median_of_pairs, sampled_pairs};
use crate::options::{Scale, ValidParams};
use crate::prepare::ordinary::sampled_rows;
use crate::prepare::pca::{ROWS, Rotation, add_gram, explained, leading_subspace, scores_of};
use crate::prepare::scaled_rows::ScaledRows;
use crate::prepare::source::RowSource;
use crate::prepare::statistics::Statistics;
use crate::prepare::{Facts, N_DIMS, Prepared, check_shape, facts, kept_rows, progress_units};
use crate::prepare::{later_passes, streams};
use crate::run::error::Result;
use crate::run::monitor::{Monitor, Stage};
use crate::run::parallel::{blocks, n_lanes, sum_in_order, sum_of_lane};

/// Pieces into which the rows are cut to be written, and rows of one at least.
const PIECES: usize = 64;
const PIECE_ROWS: usize = 1024;

/// Z.
const Z: Piece<'_> = (Scope::Input, "z");
/// Rows in the basis of the leading principal directions, which Z is made of.
const SCORES: Piece<'_> = (Scope::Input, "scores");
/// What the input turned out to be: there once Z is.
const PREPARED: Piece<'_> = (Scope::Input, "prepared");
/// Beginnings of the names of what says that Z is there.
const SAYS_Z: [&str; 3] = [PREPARED.1, "written", "turned"];
/// Beginnings of the names of what nobody needs any more then.
const ON_THE_WAY: [&str; 7] = [
    SCORES.1,
    "statistics",
    "sums",
    "scored",
    "gram",
    "written",
    "turned",
];

/// What is known of the input once Z is there.
struct Known {
    bad: Vec<u32>,
    facts: Facts,
    n_dims: usize,
    z: Seal,
}

/// [`prepare()`](crate::prepare::prepare()) by the members of a crew, each of which gets all of it.
///
/// # Errors
/// Those of `prepare` and of the crew.
pub fn prepare_shared(
    source: &dyn RowSource,
    params: &ValidParams,
    crew: &dyn Crew,
    monitor: &Monitor,
) -> Result<Prepared> {
    let (n, d) = (source.n_rows(), source.n_cols());
    check_shape(n, d)?;
    monitor.begin(Stage::Prepare, progress_units(n, d))?;
    if !is_done(crew, PREPARED)? {
        let made = make(source, params, crew, monitor);
        // Who comes late may find that others have done with what it was about to read.
        if made.is_err() && !is_done(crew, PREPARED)? {
            made?;
        }
    }
    let known: Known = result(crew, PREPARED)?;
    let rows = kept_rows(n, &known.bad, params)?;
    monitor.finish()?;
    // Also what one that was ended has not come to.
    for name in ON_THE_WAY {
        crew.forget((Scope::Input, name))?;
    }
    let len = rows.len() * known.n_dims;
    let z = sealed(crew, Z, len, &known.z, &SAYS_Z, monitor)?;
    Ok(Prepared {
        z: Matrix::within(z, rows.len(), known.n_dims)?,
        rows,
        facts: known.facts,
    })
}

/// Makes Z, together with others.
fn make(
    source: &dyn RowSource,
    params: &ValidParams,
    crew: &dyn Crew,
    monitor: &Monitor,
) -> Result<()> {
    let (n, d) = (source.n_rows(), source.n_cols());
    let sampled = sampled_rows(source);
    let stats = Statistics::of(source, &sampled, Some(crew), monitor)?;
    let rows = kept_rows(n, &stats.bad, params)?;
    let scale = stats.scale(params.scale);
    let scaled = ScaledRows::new(source, &rows, &stats, scale, &sampled);
    let n_dims = d.min(N_DIMS);
    let (Written { far, seal }, explained_variance) = if d > N_DIMS {
        reduced(&scaled, crew, monitor)?
    } else {
        (all(&scaled, crew, monitor)?, 1.0)
    };
    monitor.advance((n - rows.len()) * later_passes(d))?;
    once(Some(crew), PREPARED, monitor, || {
        let far = far.iter().map(|&i| rows[i as usize]).collect();
        Ok(Known {
            facts: facts((n, d), &stats, far, scale, explained_variance),
            bad: stats.bad.clone(),
            n_dims,
            z: seal,
        })
    })?;
    Ok(())
}

/// An array that was written.
struct Written {
    /// Rows that are far outside.
    far: Vec<u32>,
    seal: Seal,
}

/// Writes the rows as they are.
fn all(scaled: &ScaledRows<'_>, crew: &dyn Crew, monitor: &Monitor) -> Result<Written> {
    let (n, d) = (scaled.n_rows(), scaled.n_cols());
    let pairs = sampled_pairs(n, streams());
    let unit = unit(&pairs, |rows| {
        let mut z = Matrix::zeros(rows.len(), d);
        for (at, &i) in rows.iter().enumerate() {
            scaled.read(i as usize..i as usize + 1, z.row_mut(at));
        }
        z
    });
    written(
        crew,
        (Z, "written"),
        (n, d),
        scaled.block(),
        monitor,
        |rows, out| {
            let far = scaled.read(rows.clone(), out);
            out.iter_mut().for_each(|v| *v *= unit);
            monitor.advance(rows.len())?;
            Ok(far)
        },
    )
}

/// Writes the leading principal components; returns the share of the variance kept, too.
fn reduced(scaled: &ScaledRows<'_>, crew: &dyn Crew, monitor: &Monitor) -> Result<(Written, f64)> {
    let n = scaled.n_rows();
    let q = leading_subspace(scaled, N_DIMS, streams(), Some(crew), monitor)?;
    let (r, block) = (q.cols(), scaled.block());
    let Written { far, seal } = written(
        crew,
        (SCORES, "scored"),
        (n, r),
        block,
        monitor,
        |rows, out| {
            let far = scores_of(scaled, rows.clone(), &q, out)?;
            monitor.advance(rows.len())?;
            Ok(far)
        },
    )?;
    let scores = sealed(crew, SCORES, n * r, &seal, &["scored"], monitor)?;
    let scores = Matrix::within(scores, n, r)?;
    let scores = scores.view();
    let lane = |lane| {
        sum_of_lane(n, ROWS, lane, r * r, |rows, sum| {
            add_gram(scores.rows_range(rows), sum);
            monitor.check()
        })
    };
    let sum = |lanes| Ok(sum_in_order(lanes, r * r));
    let name = (Scope::Input, "gram");
    let gram = gather(Some(crew), name, n_lanes(n, ROWS), monitor, lane, sum)?;
    let Rotation { turn, kept } = Rotation::of(&gram, &q, N_DIMS)?;
    let turned = |rows: &[u32]| {
        let mut z = Matrix::zeros(rows.len(), turn.cols());
        let rows = scores.gather(rows);
        matmul_nn(z.as_mut_slice(), rows.view(), turn.view(), false);
        z
    };
    let unit = unit(&sampled_pairs(n, streams()), turned);
    let Written { seal, .. } = written(
        crew,
        (Z, "turned"),
        (n, turn.cols()),
        ROWS,
        monitor,
        |rows, out| {
            matmul_nn(out, scores.rows_range(rows), turn.view(), false);
            out.iter_mut().for_each(|v| *v *= unit);
            monitor.check()?;
            Ok(vec![])
        },
    )?;
    let z = turned(&far);
    let rows = (0..far.len()).map(|i| z.row(i));
    let explained_variance = explained(kept, rows, scaled.variance, n - far.len());
    Ok((Written { far, seal }, explained_variance))
}

/// One over the median distance of `pairs` of rows, given what `z` some rows have.
fn unit(pairs: &[(usize, usize)], z: impl Fn(&[u32]) -> Matrix) -> f32 {
    let mut rows: Vec<u32> = pairs
        .iter()
        .flat_map(|&(i, j)| [i as u32, j as u32])
        .collect();
    rows.sort_unstable();
    rows.dedup();
    let z = z(&rows);
    1.0 / median_of_pairs(pairs, |i| {
        z.row(rows.partition_point(|&row| (row as usize) < i))
    })
}

/// Fills an array of `shape` in pieces, each of them in blocks of `block` rows by `fill`, which returns rows that are
/// far outside. The pieces are called `name`.
fn written(
    crew: &dyn Crew,
    (target, name): (Piece<'_>, &str),
    (n, width): (usize, usize),
    block: usize,
    monitor: &Monitor,
    fill: impl Fn(Range<usize>, &mut [f32]) -> Result<Vec<usize>> + Sync,
) -> Result<Written> {
    let piece = n.div_ceil(PIECES).max(PIECE_ROWS).next_multiple_of(block);
    let bounds: Vec<Range<usize>> = blocks(n, piece).collect();
    let name = (Scope::Input, name);
    let parts = share(Some(crew), name, bounds.len(), monitor, |i| {
        let (mut out, mut far) = (vec![0.0; block * width], Vec::new());
        let mut hashes = Vec::new();
        for at in blocks(bounds[i].len(), block) {
            let rows = bounds[i].start + at.start..bounds[i].start + at.end;
            let out = &mut out[..rows.len() * width];
            far.extend(fill(rows.clone(), out)?.into_iter().map(|row| row as u32));
            crew.write(target, n * width, rows.start * width, out)?;
            hashes.push(hash(out));
        }
        Ok(Part { far, hashes })
    })?;
    let (far, hashes): (Vec<_>, Vec<_>) = parts.into_iter().map(|p| (p.far, p.hashes)).unzip();
    Ok(Written {
        far: far.concat(),
        seal: Seal::new(block * width, hashes.concat()),
    })
}

/// A piece of an array that was written.
struct Part {
    far: Vec<u32>,
    /// Of each block.
    hashes: Vec<u64>,
}

impl Bytes for Part {
    fn write(&self, to: &mut Writer) {
        to.list(&self.far);
        to.list(&self.hashes);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            far: from.list()?,
            hashes: from.list()?,
        })
    }
}

impl Bytes for Known {
    fn write(&self, to: &mut Writer) {
        let Facts {
            n_rows,
            n_cols,
            n_nonfinite,
            n_constant_columns,
            far,
            values_hash,
            n_distinct,
            scale,
            explained_variance,
        } = &self.facts;
        to.list(&self.bad);
        to.number(self.n_dims as u64);
        self.z.write(to);
        for count in [n_rows, n_cols, n_nonfinite, n_constant_columns, n_distinct] {
            to.number(*count as u64);
        }
        to.list(far);
        to.number(*values_hash);
        to.number(u32::from(*scale == Scale::Standard));
        to.number(*explained_variance);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self> {
        let bad = from.list()?;
        let n_dims = from.number::<u64>()? as usize;
        let z = Seal::read(from)?;
        let mut count = || from.number::<u64>().map(|count| count as usize);
        let (n_rows, n_cols, n_nonfinite) = (count()?, count()?, count()?);
        let (n_constant_columns, n_distinct) = (count()?, count()?);
        let (far, values_hash) = (from.list()?, from.number()?);
        let is_standard = from.number::<u32>()? == 1;
        Ok(Self {
            bad,
            n_dims,
            z,
            facts: Facts {
                n_rows,
                n_cols,
                n_nonfinite,
                n_constant_columns,
                far,
                values_hash,
                n_distinct,
                scale: if is_standard {
                    Scale::Standard
                } else {
                    Scale::None
                },
                explained_variance: from.number()?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crew::memory::Memory;
    use crate::options::{NonFinite, Params};
    use crate::prepare::prepare;
    use crate::run::error::Error;
    use crate::run::rng::test_stream;
    use ndarray::Array2;
    use rand::Rng;

    /// Points, some of them far outside, and one that is none.
    fn points(n: usize, d: usize) -> Array2<f64> {
        let mut rng = test_stream(47, n, d);
        let mut x = Array2::from_shape_fn((n, d), |(_, j)| {
            rng.random_range(-1.0..1.0) / (1.0 + j as f64)
        });
        x.row_mut(n / 2).mapv_inplace(|v| 1e6 * v);
        x[(n / 3, 0)] = f64::NAN;
        x
    }

    fn params() -> ValidParams {
        let params = Params {
            nonfinite: NonFinite::Drop,
            ..Params::default()
        };
        params.check().unwrap()
    }

    #[test]
    fn a_crew_prepares_what_one_does_alone() {
        for (n, d) in [(1, 3), (2, 90), (700, 6), (5000, 64), (3001, 100)] {
            let x = if n < 10 {
                Array2::ones((n, d))
            } else {
                points(n, d)
            };
            let (memory, monitor) = (Memory::default(), Monitor::default());
            let alone = prepare(&x.view(), &params(), &monitor).unwrap();
            let shared = prepare_shared(&x.view(), &params(), &memory, &monitor).unwrap();
            assert_eq!(shared, alone, "{n} x {d}");
            assert_eq!(monitor.progress().0, monitor.progress().1);
            // Nothing is left but Z and what it is of.
            assert_eq!(memory.n_done(), 1);
            let again = prepare_shared(&x.view(), &params(), &memory, &monitor).unwrap();
            assert_eq!(again, alone);
        }
    }

    #[test]
    fn arrays_that_are_damaged_are_made_anew() {
        let (x, monitor) = (points(5000, 80), Monitor::default());
        let alone = prepare(&x.view(), &params(), &monitor).unwrap();
        let memory = Memory::default();
        let prepared = || prepare_shared(&x.view(), &params(), &memory, &monitor);
        assert_eq!(prepared(), Ok(alone.clone()));
        memory
            .write(Z, alone.z.as_slice().len(), 70, &[0.5])
            .unwrap();
        assert!(matches!(prepared(), Err(Error::Failed { .. })));
        assert_eq!(prepared(), Ok(alone));
    }

    #[test]
    fn what_was_done_before_the_end_stays_done() {
        let (x, monitor) = (points(5000, 80), Monitor::default());
        let alone = prepare(&x.view(), &params(), &monitor).unwrap();
        for count in [0, 3, 10, 20, 40, 70] {
            let memory = Memory::default();
            memory.end_after(count);
            let ended = prepare_shared(&x.view(), &params(), &memory, &monitor);
            assert_eq!(ended, Err(Error::Interrupted), "{count}");
            assert_eq!(memory.n_done(), count);
            memory.end();
            let shared = prepare_shared(&x.view(), &params(), &memory, &monitor);
            assert_eq!(shared.unwrap(), alone);
        }
    }
}
