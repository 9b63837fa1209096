//! A selection judged beside random ones of the same size.

use crate::numeric::partition::n_blocks as n_blocks_of;
use crate::prepare::Prepared;
use crate::quality::discrepancy::{Discrepancy, discrepancies};
use crate::quality::draws::{random_selections, strata, stratified_selections};
use crate::quality::map::{Map, map};
use crate::quality::profile::{Profile, profile};
use crate::quality::unseen::{CfDistance, Picked};
use crate::quality::{Quality, progress_units, qualities};
use crate::run::error::{Error, Result, check_len};
use crate::run::monitor::{Monitor, Stage};
use crate::run::rng::Streams;

/// Selections stratified by blocks at most: as many as make being ahead of all of them evidence.
pub const N_BY_BLOCKS: usize = 20;

/// How to judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judging {
    /// Random selections to draw, of each kind.
    pub n_random: usize,
    /// Whether MMD and sliced Wasserstein distance are among the figures.
    pub with_discrepancies: bool,
    /// Rows of a block of the selections that are stratified by blocks: those of the exchange.
    pub block_rows: usize,
    /// Seed of draws, frequencies and samples.
    pub seed: u64,
}

/// Figures by name; 0 is perfect in all of them.
pub type Figures = Vec<(&'static str, f64)>;

/// A figure of several selections.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The figure's name.
    pub name: &'static str,
    /// Its value in each selection.
    pub values: Vec<f64>,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, of a sample; 0 for a single one.
    pub std: f64,
}

/// Figures of a selection beside those of random ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The selection's.
    pub selection: Figures,
    /// Its CF distance where each row counts by its weight; empty without weights.
    pub weighted: Figures,
    /// Of random selections of the same size; empty where none were drawn.
    pub random: Vec<Summary>,
    /// Of random selections with as many rows of each class; empty without classes.
    pub stratified: Vec<Summary>,
    /// Blocks into which all the rows, or those of the classes, are cut.
    pub n_blocks: usize,
    /// CF distances of random selections stratified by these blocks, [`N_BY_BLOCKS`] at most; empty
    /// where nothing is cut.
    pub stratified_by_blocks: Vec<Summary>,
    /// Curves of it and of the random selections, and the rows farthest from it.
    pub profile: Profile,
    /// Where rows and picks lie.
    pub map: Map,
}

/// Judges the input rows `indices`, of these `weights` if given, beside random selections of as many rows and, with `classes` (rows
/// of Z each, see [`Prepared::classes`]), of as many rows of each class. Where these, or all rows, make
/// several blocks (see [`strata`]), its CF distance is also shown beside that of random selections
/// stratified by blocks.
///
/// `monitor` begins [`Stage::Quality`]. Cost: [`qualities`] of all selections.
///
/// ```
/// use fast_select_core::options::ValidParams;
/// use fast_select_core::prepare::prepare;
/// use fast_select_core::quality::evaluate::{Judging, evaluate};
/// use fast_select_core::run::monitor::Monitor;
///
/// let x = ndarray::Array2::from_shape_fn((40, 1), |(i, _)| i as f64);
/// let monitor = Monitor::default();
/// let prepared = prepare(&x.view(), &ValidParams::default(), &monitor)?;
/// let judging = Judging { n_random: 20, with_discrepancies: false, block_rows: 64, seed: 0 };
/// let even: Vec<i64> = (2..40).step_by(5).collect();
/// let judged = evaluate(&prepared, &even, None, None, judging, &monitor)?;
/// let (name, own) = judged.selection[0];
/// assert_eq!(name, "cfd_m");
/// assert!(judged.random[0].values.iter().all(|drawn| own < *drawn));
/// # Ok::<(), fast_select_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Refused`] for rows that are not there, named twice, or none, and for weights that are below 0 or not
/// one for each row; [`Error::Interrupted`].
pub fn evaluate(
    prepared: &Prepared,
    indices: &[i64],
    weights: Option<&[f64]>,
    classes: Option<&[Vec<u32>]>,
    judging: Judging,
    monitor: &Monitor,
) -> Result<Evaluation> {
    let rows = judged_rows(prepared, indices)?;
    let weights = match weights {
        None => None,
        Some(weights) => Some(ascending(indices, weights)?),
    };
    let (z, n, count) = (prepared.z.view(), prepared.z.rows(), rows.len());
    // As many of each class as the selection has, in proportion or not.
    let share = |class: &Vec<u32>| {
        let is_selected = |i: &&u32| rows.binary_search(i).is_ok();
        class.iter().filter(is_selected).count()
    };
    let shares: Vec<usize> = classes.unwrap_or_default().iter().map(share).collect();
    let Judging { n_random, seed, .. } = judging;
    let streams = Streams::new(seed);
    let mut selections = vec![rows];
    selections.extend(random_selections(n, count, n_random, seed));
    if let Some(classes) = classes {
        selections.extend(stratified_selections(classes, &shares, n_random, seed));
    }
    let sizes = match classes {
        Some(classes) => classes.iter().map(Vec::len).collect(),
        None => vec![n],
    };
    let quotas = if classes.is_some() {
        shares
    } else {
        vec![count]
    };
    let n_by_blocks = n_random.min(N_BY_BLOCKS);
    let n_blocks = sizes.iter().zip(&quotas);
    let n_blocks = n_blocks.map(|(rows, quota)| n_blocks_of(*rows, *quota, judging.block_rows));
    let n_blocks: usize = n_blocks.sum();
    let n_by_blocks = if n_blocks > sizes.len() {
        n_by_blocks
    } else {
        0
    };
    let further = if judging.with_discrepancies { n } else { 0 };
    let n_weighted = usize::from(weights.is_some());
    let total = progress_units(n, selections.len() + n_by_blocks + n_weighted);
    monitor.begin(Stage::Quality, total + further)?;
    let by_blocks = if n_by_blocks > 0 {
        // One at a time: all at once would take as much again as the blocks.
        let rows_of = |g: usize| match classes {
            Some(classes) => classes[g].clone(),
            None => (0..n as u32).collect(),
        };
        let groups = (0..sizes.len()).map(rows_of);
        let (blocks, shares) = strata(z, groups, &quotas, judging.block_rows, monitor)?;
        stratified_selections(&blocks, &shares, n_by_blocks, seed)
    } else {
        vec![]
    };
    let alike = by_blocks.iter().map(Picked::alike);
    let weighted = weights.as_ref().map(|weights| Picked {
        rows: &selections[0],
        weights: Some(weights),
    });
    let others: Vec<Picked<'_>> = alike.chain(weighted).collect();
    let judged = qualities(z, &selections, &others, streams, monitor)?;
    let profile = profile(z, &selections[0], &judged, n_random)?;
    let map = map(z, &selections[0], streams)?;
    let further = if judging.with_discrepancies {
        discrepancies(z, &selections, streams, monitor)?
    } else {
        vec![]
    };
    let mut further = further.into_iter();
    let (by_blocks, weighted) = judged.others.split_at(n_by_blocks);
    let judged: Vec<Figures> = judged
        .selections
        .iter()
        .map(|quality| figures(quality, further.next()))
        .collect();
    let by_blocks: Vec<Figures> = by_blocks.iter().map(cf_figures).collect();
    let (own, drawn) = judged.split_at(1);
    let (random, stratified) = drawn.split_at(n_random);
    Ok(Evaluation {
        selection: own.concat(),
        weighted: weighted.iter().flat_map(cf_figures).collect(),
        random: summaries(random),
        stratified: summaries(stratified),
        n_blocks,
        stratified_by_blocks: summaries(&by_blocks),
        profile,
        map,
    })
}

/// The rows of Z that `indices` mean, ascending.
fn judged_rows(prepared: &Prepared, indices: &[i64]) -> Result<Vec<u32>> {
    let mut rows = Vec::with_capacity(indices.len());
    for &i in indices {
        match prepared.position("indices", i)? {
            Some(row) => rows.push(row),
            None => {
                let fact = format!("names row {i}, which holds NaN or infinity");
                return Err(Error::refused("indices", fact));
            }
        }
    }
    rows.sort_unstable();
    rows.dedup();
    let twice = indices.len() - rows.len();
    if twice > 0 {
        let rows = if twice == 1 { "row" } else { "rows" };
        let fact = format!("names {twice} {rows} twice");
        return Err(Error::refused("indices", fact));
    }
    Ok(rows)
}

/// The weights of `indices`, in the order in which these ascend.
fn ascending(indices: &[i64], weights: &[f64]) -> Result<Vec<f64>> {
    check_len("weights", weights.len(), indices.len())?;
    let refused = |fact| Err(Error::refused("weights", fact));
    if !weights.iter().all(|w| w.is_finite() && *w >= 0.0) {
        return refused("hold one below 0, or none that is finite");
    }
    if weights.iter().all(|w| *w == 0.0) {
        return refused("are all 0");
    }
    let mut pairs: Vec<(i64, f64)> = indices
        .iter()
        .copied()
        .zip(weights.iter().copied())
        .collect();
    pairs.sort_unstable_by_key(|(i, _)| *i);
    Ok(pairs.into_iter().map(|(_, w)| w).collect())
}

/// The CF distance by name, in the mean and at each of [`crate::quality::unseen::RADII`].
fn cf_figures(distance: &CfDistance) -> Figures {
    let CfDistance {
        cfd_m, at_radius, ..
    } = *distance;
    let names = [
        "cfd_m_radius_0.25",
        "cfd_m_radius_0.5",
        "cfd_m_radius_1",
        "cfd_m_radius_2",
        "cfd_m_radius_4",
    ];
    let at_radius = names.into_iter().zip(at_radius);
    [("cfd_m", cfd_m)].into_iter().chain(at_radius).collect()
}

fn figures(quality: &Quality, further: Option<Discrepancy>) -> Figures {
    let [first, second, third, fourth] = quality.moments;
    let mut figures = cf_figures(&quality.cf);
    figures.extend([
        ("cell_cfd_m", quality.cell_cfd_m),
        ("moment_1", first),
        ("moment_2", second),
        ("moment_3", third),
        ("moment_4", fourth),
        ("coverage_max", quality.coverage_max),
        ("coverage_mean", quality.coverage_mean),
    ]);
    if let Some(further) = further {
        figures.extend([
            ("mmd2", further.mmd2),
            ("mmd2_se", further.mmd2_se),
            ("sliced_wasserstein", further.sliced_wasserstein),
        ]);
    }
    figures
}

/// A summary of each figure.
fn summaries(judged: &[Figures]) -> Vec<Summary> {
    let Some(first) = judged.first() else {
        return vec![];
    };
    let summary = |(k, (name, _)): (usize, &(&'static str, f64))| {
        let values: Vec<f64> = judged.iter().map(|figures| figures[k].1).collect();
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        Summary {
            name,
            std: (squares / (count - 1.0).max(1.0)).sqrt(),
            mean,
            values,
        }
    };
    first.iter().enumerate().map(summary).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_deviations_by_hand() {
        let judged = [1.0, 2.0, 6.0].map(|v| vec![("a", v), ("b", -v)]);
        let got = summaries(&judged);
        assert_eq!((got[0].name, got[0].mean), ("a", 3.0));
        assert_eq!(got[0].std, 7.0_f64.sqrt());
        assert_eq!(got[1].values, [-1.0, -2.0, -6.0]);
        assert_eq!(summaries(&judged[..1])[0].std, 0.0);
        assert!(summaries(&[]).is_empty());
    }
}
