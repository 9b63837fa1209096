//! What a selection takes that several processes, its members, run together over a folder that they share.
//!
//! | stage | who |
//! |---|---|
//! | statistics | all, in parts; one of them puts the rows' hashes together |
//! | components | all, in [`PCA_TASKS`] parts, each a sum that every member reads |
//! | z | all, by ranges of rows |
//! | partition | one |
//! | ready | all, a block a thread: its pairs are measured |
//! | exchange | one block after the other, in the threads of one member, as each needs what those before it have left |
//! | all others | one |
//!
//! Seconds of a stage are the greater of computing and moving bytes. While a member exchanges its blocks, the others make
//! theirs ready, so that both stages together take
//! `max((ready + chain) / W, chain + first)`: `ready` and `chain` of one member alone, W members, `first` the first block.
//! The chain bounds the time whatever W is. What `stage_costs` counts is what is counted here.

use crate::options::ValidParams;
use crate::prepare::{OVERSAMPLES, PASSES, PCA_TASKS, n_tasks};
use crate::run::monitor::Stage;
use crate::select::plan::{Outline, StageCost, USUAL_BYTES, plan};
use crate::select::stage_costs::{
    CUT_COST, ENTRY_COST, EXCHANGE_COST, FEATURE_COST, HASH_COST, HASHED_BYTES, KERNEL_COST,
    LIST_COST, PAIR_COST, READ_COST, SWAP_COST, Sizes,
};

/// Share of a block's exchange that one thread does alone: swaps are taken one after the other.
const ALONE: f64 = 0.25;
/// Seconds until the next member sees, in a shared folder, that a block is done.
const HANDOVER: f64 = 0.01;
/// Bytes of a frequency in a block's record: a sum and its change, for sine and cosine each.
const RECORD_BYTES: f64 = 16.0;
/// Workers beyond which none are tried.
const MOST_WORKERS: usize = 1 << 12;
/// A doubling of the workers is worth having if it takes this share off the seconds.
const WORTH: f64 = 0.1;

/// Processes that run a selection together, and the machines that they run on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crew {
    /// Processes, W; each has the threads of the outline, T.
    pub workers: usize,
    /// Multiply-adds a second of a thread, v.
    pub rate: f64,
    /// Bytes a second that a member reads and writes at, u.
    pub bandwidth: f64,
    /// Bytes of an entry of the input, e.
    pub entry_bytes: usize,
    /// Bytes that a member may take, the system's copy of what it has read among them; 0 where that is not known.
    pub memory: u64,
}

/// What a stage takes that several processes run.
#[derive(Debug, Clone, PartialEq)]
pub struct CrewCost {
    /// The stage's name.
    pub name: &'static str,
    /// Seconds.
    pub seconds: f64,
    /// Seconds of it with ever more members.
    pub least: f64,
    /// Multiply-adds of all members, or what takes as long.
    pub multiply_adds: f64,
    /// Bytes that all members read; of these, what another has written; and bytes that they write.
    pub read: f64,
    /// See `read`.
    pub sent: f64,
    /// See `read`.
    pub written: f64,
    /// Bytes that a member holds at its peak.
    pub bytes: u64,
    /// How each of these follows from the sizes.
    pub formulas: Formulas,
}

/// How the figures of a stage follow from the sizes: n rows of d columns of e bytes, p columns of Z, W workers of T threads
/// that do v multiply-adds a second each and move u bytes a second; B blocks of b rows, k neighbours and m picks,
/// q frequencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formulas {
    /// Of the multiply-adds.
    pub work: String,
    /// Of the seconds.
    pub seconds: String,
    /// Of the bytes read, those of them that another has written, and those written.
    pub read: String,
    /// See `read`.
    pub sent: String,
    /// See `read`.
    pub written: String,
    /// Of the bytes of a member.
    pub bytes: String,
}

/// The stages of a selection that a crew runs, in order.
///
/// ```
/// use fast_select_core::options::ValidParams;
/// use fast_select_core::select::plan::{Crew, Outline, crew_plan};
///
/// let params = ValidParams::default();
/// let outline = Outline::new(768, &[1_000_000], 10_000, 16, &params)?;
/// let crew = Crew { workers: 8, rate: 1e10, bandwidth: 5e8, entry_bytes: 4, memory: 0 };
/// let stages = crew_plan(&outline, &params, crew);
/// let names: Vec<&str> = stages.iter().map(|stage| stage.name).collect();
/// assert_eq!(names, ["statistics", "components", "z", "partition", "ready", "exchange", "quality"]);
/// # Ok::<(), fast_select_core::Error>(())
/// ```
#[must_use]
pub fn crew_plan(outline: &Outline, params: &ValidParams, crew: Crew) -> Vec<CrewCost> {
    let mut stages = stages_of(outline, params, crew);
    let many = Crew {
        workers: usize::MAX,
        ..crew
    };
    let bounds = stages_of(outline, params, many);
    for (stage, bound) in stages.iter_mut().zip(bounds) {
        stage.least = bound.seconds;
    }
    stages
}

/// The same, but for the bounds.
fn stages_of(outline: &Outline, params: &ValidParams, crew: Crew) -> Vec<CrewCost> {
    let outline = Outline {
        is_mapped: true,
        ..outline.clone()
    };
    let sizes = Sizes::new(&outline, params);
    let shared = Shared {
        sizes: &sizes,
        crew,
    };
    let mut stages = Vec::new();
    for cost in plan(&outline, params) {
        match cost.stage {
            Stage::Prepare => stages.extend(shared.prepare()),
            Stage::Exchange => stages.extend(shared.exchange()),
            _ => stages.push(shared.alone(cost)),
        }
    }
    stages
}

/// As many workers as are worth having: twice as many take less than a tenth off the seconds.
///
/// ```
/// use fast_select_core::options::ValidParams;
/// use fast_select_core::select::plan::{Crew, Outline, worthwhile};
///
/// let params = ValidParams::default();
/// let outline = Outline::new(64, &[10_000_000], 100_000, 16, &params)?;
/// let crew = Crew { workers: 64, rate: 1e10, bandwidth: 5e8, entry_bytes: 4, memory: 0 };
/// assert!((2..64).contains(&worthwhile(&outline, &params, crew)));
/// # Ok::<(), fast_select_core::Error>(())
/// ```
#[must_use]
pub fn worthwhile(outline: &Outline, params: &ValidParams, crew: Crew) -> usize {
    let seconds = |workers| {
        let stages = stages_of(outline, params, Crew { workers, ..crew });
        stages.iter().map(|stage| stage.seconds).sum::<f64>()
    };
    let (mut workers, mut taken) = (MOST_WORKERS, seconds(MOST_WORKERS));
    while workers > 1 {
        let before = seconds(workers / 2);
        if taken < (1.0 - WORTH) * before {
            break;
        }
        (workers, taken) = (workers / 2, before);
    }
    workers
}

/// Sizes of a selection, and who shares in it.
struct Shared<'a> {
    sizes: &'a Sizes<'a>,
    crew: Crew,
}

impl Shared<'_> {
    /// Threads of a member.
    fn threads(&self) -> usize {
        self.sizes.outline.n_threads
    }

    fn workers(&self) -> f64 {
        self.crew.workers as f64
    }

    /// Share of what all have written that is another's, for a member that reads it.
    fn others(&self) -> f64 {
        1.0 - 1.0 / self.workers()
    }

    /// Seconds in which all members do and move this, in `pieces`: as many threads and members at most.
    fn by_all(&self, pieces: usize, work: f64, moved: f64) -> f64 {
        let share = |lanes: usize| pieces.div_ceil(lanes) as f64 / pieces as f64;
        let lanes = self.crew.workers.saturating_mul(self.threads());
        let computing = share(lanes) * work / self.crew.rate;
        computing.max(share(self.crew.workers) * moved / self.crew.bandwidth)
    }

    /// The same of one member.
    fn by_one(&self, work: f64, moved: f64) -> f64 {
        let computing = work / (self.threads() as f64 * self.crew.rate);
        computing.max(moved / self.crew.bandwidth)
    }

    /// Bytes that a member reads in `passes` over Z, and in words: those of the first alone, where Z stays in memory beside
    /// `bytes` of its own.
    fn z_read(&self, passes: (f64, String), bytes: u64) -> (f64, String) {
        let z = 4 * self.sizes.n * self.sizes.p;
        if z as u64 + bytes + USUAL_BYTES <= self.crew.memory {
            (z as f64, "4 n p".to_owned())
        } else {
            (z as f64 * passes.0, format!("4 n p {}", passes.1))
        }
    }

    fn prepare(&self) -> Vec<CrewCost> {
        let mut stages = vec![self.statistics()];
        if self.sizes.is_reduced() {
            stages.push(self.components());
        }
        stages.push(self.z());
        stages
    }

    fn statistics(&self) -> CrewCost {
        let (n, d) = (self.sizes.n as f64, self.sizes.d as f64);
        let parts = n_tasks(self.sizes.d);
        let sums = 32.0 * d * parts as f64;
        let (input, hashes) = (n * d * self.crew.entry_bytes as f64, 8.0 * n);
        let (reading, merging) = (n * d * READ_COST, n * HASH_COST);
        // Hashes are sorted by one thread.
        let merged = (merging / self.crew.rate).max(hashes / self.crew.bandwidth);
        CrewCost {
            name: "statistics",
            seconds: self.by_all(parts, reading, input + hashes) + merged,
            least: 0.0,
            multiply_adds: reading + merging,
            read: input + hashes + sums * self.workers(),
            sent: hashes * self.others() + sums * (self.workers() - 1.0),
            written: hashes + sums,
            bytes: self.sizes.statistics_bytes() as u64,
            formulas: Formulas {
                work: format!("{READ_COST} n d + {HASH_COST} n"),
                seconds: format!(
                    "max({READ_COST} n d / (v min({parts}, W T)), (e n d + 8 n) / (u min({parts}, W))) + \
                     max({HASH_COST} n / v, 8 n / u)"
                ),
                read: format!("e n d + 8 n + 32 d {parts} W"),
                sent: format!("8 n (1 - 1 / W) + 32 d {parts} (W - 1)"),
                written: format!("8 n + 32 d {parts}"),
                bytes: format!("{HASHED_BYTES} n + 32 d {parts} + {} T", 4 << 16),
            },
        }
    }

    fn components(&self) -> CrewCost {
        let (n, d) = (self.sizes.n as f64, self.sizes.d as f64);
        let r = self.sizes.made_width() as f64;
        let passes = (PASSES - 1) as f64;
        let sums = passes * PCA_TASKS as f64 * 4.0 * d * r;
        let input = passes * n * d * self.crew.entry_bytes as f64;
        let work = passes * n * d * (READ_COST + 2.0 * r);
        let each = passes as usize * PCA_TASKS * 4;
        CrewCost {
            name: "components",
            seconds: self.by_all(PCA_TASKS, work, input) + sums / self.crew.bandwidth,
            least: 0.0,
            multiply_adds: work,
            read: input + sums * self.workers(),
            sent: sums * (self.workers() - 1.0),
            written: sums,
            bytes: self.sizes.sketch_bytes() as u64,
            formulas: Formulas {
                work: format!("{passes} n d ({READ_COST} + 2 (p + {OVERSAMPLES}))"),
                seconds: format!(
                    "max(work / (v min({PCA_TASKS}, W T)), {passes} e n d / (u min({PCA_TASKS}, W))) + written / u"
                ),
                read: format!("{passes} e n d + W {each} d (p + {OVERSAMPLES})"),
                sent: format!("(W - 1) {each} d (p + {OVERSAMPLES})"),
                written: format!("{each} d (p + {OVERSAMPLES})"),
                bytes: format!("4 n, sketches of d (p + {OVERSAMPLES})"),
            },
        }
    }

    fn z(&self) -> CrewCost {
        let (n, d, p) = (
            self.sizes.n as f64,
            self.sizes.d as f64,
            self.sizes.p as f64,
        );
        let r = self.sizes.made_width() as f64;
        let input = n * d * self.crew.entry_bytes as f64;
        let entries = ENTRY_COST * n * r;
        let (work, scores) = if self.sizes.is_reduced() {
            (
                n * d * (READ_COST + r) + n * r * (r + p) + entries,
                4.0 * n * r,
            )
        } else {
            (0.5 * n * d * READ_COST + entries, 0.0)
        };
        // Scores are read for their products, and for Z.
        let (read, written) = (input + 2.0 * scores, scores + 4.0 * n * p);
        let formulas = if self.sizes.is_reduced() {
            let r = format!("(p + {OVERSAMPLES})");
            Formulas {
                work: format!(
                    "n d ({READ_COST} + {r}) + n {r} (2 p + {OVERSAMPLES} + {ENTRY_COST})"
                ),
                seconds: "max(work / (v W T), (read + written) / (u W))".to_owned(),
                read: format!("e n d + 8 n {r}"),
                sent: format!("8 n {r} (1 - 1 / W)"),
                written: format!("4 n {r} + 4 n p"),
                bytes: format!("4 n + 4 d {r}"),
            }
        } else {
            Formulas {
                work: format!("n d {} + {ENTRY_COST} n p", 0.5 * READ_COST),
                seconds: "max(work / (v W T), (read + written) / (u W))".to_owned(),
                read: "e n d".to_owned(),
                sent: "0".to_owned(),
                written: "4 n p".to_owned(),
                bytes: "4 n".to_owned(),
            }
        };
        CrewCost {
            name: "z",
            seconds: self.by_all(self.sizes.n.max(1), work, read + written),
            least: 0.0,
            multiply_adds: work,
            read,
            sent: 2.0 * scores * self.others(),
            written,
            bytes: self.sizes.scores_bytes() as u64,
            formulas,
        }
    }

    fn partition(&self) -> CrewCost {
        let n = self.sizes.n as f64;
        let work = self.sizes.partition_cost();
        let bytes = self.sizes.partition_bytes() as u64;
        let (read, in_words) = self.z_read(self.sizes.cut_reads(), bytes);
        CrewCost {
            name: "partition",
            seconds: self.by_one(work, read + 4.0 * n),
            least: 0.0,
            multiply_adds: work,
            read: read + 4.0 * n * self.workers(),
            sent: read * self.others() + 4.0 * n * (self.workers() - 1.0),
            written: 4.0 * n,
            bytes,
            formulas: Formulas {
                work: format!("{CUT_COST} n p log2(B)"),
                seconds: format!("max(work / (v T), ({in_words} + 4 n) / u)"),
                read: format!("{in_words} + 4 n W"),
                sent: format!("{in_words} (1 - 1 / W) + 4 n (W - 1)"),
                written: "4 n".to_owned(),
                bytes: format!("8 n + {}", Sizes::cut_formula()),
            },
        }
    }

    /// The rows cut into blocks, which are made ready, and exchanged.
    fn exchange(&self) -> Vec<CrewCost> {
        let (blocks, p) = (self.sizes.blocks(), self.sizes.p as f64);
        let count = blocks.len().max(1) as f64;
        let sum = |of: &dyn Fn(&(usize, usize)) -> f64| blocks.iter().map(of).sum::<f64>();
        let ready = sum(&|&(rows, picks)| self.sizes.ready_cost(rows, picks));
        let swaps = sum(&|&(rows, picks)| self.sizes.swap_cost(rows, picks, blocks.len()));
        let rows = sum(&|&(rows, _)| rows as f64) * 4.0 * p;
        let freqs = self.sizes.pulled_freqs(blocks.len()) as f64;
        let records = count * RECORD_BYTES * freqs + 4.0 * self.sizes.m as f64;
        let (making, exchanging) = if freqs > 0.0 {
            let alone = self.by_one(ready, rows);
            let chain = self.chain(swaps, records, count);
            let together = (alone + chain) / self.workers();
            let bounded = chain + ready / count / self.crew.rate;
            (together.max(bounded) - chain, chain)
        } else {
            let pieces = blocks.len().max(1);
            (
                self.by_all(pieces, ready, rows),
                self.by_all(pieces, swaps, records),
            )
        };
        let bytes = self.sizes.blocks_bytes(&blocks) as u64;
        let (is_chain, rounds) = (freqs > 0.0, self.sizes.rounds());
        let passes = 1.0 + rounds;
        vec![
            self.partition(),
            CrewCost {
                name: "ready",
                seconds: making,
                least: 0.0,
                multiply_adds: ready,
                read: rows,
                sent: rows * self.others(),
                written: 0.0,
                bytes,
                formulas: Formulas {
                    work: format!("B (b^2 (p + {PAIR_COST}) / 2 + {LIST_COST} b k)"),
                    seconds: if is_chain {
                        "max((max(work / (v T), read / u) + chain) / W, \
                         chain + work / (v B)) - chain"
                    } else {
                        "work / (v min(B, W T))"
                    }
                    .to_owned(),
                    read: "4 n p".to_owned(),
                    sent: "4 n p (1 - 1 / W)".to_owned(),
                    written: "0".to_owned(),
                    bytes: format!("Z, {}", Sizes::ready_formula()),
                },
            },
            CrewCost {
                name: "exchange",
                seconds: exchanging,
                least: 0.0,
                multiply_adds: swaps,
                read: records * self.workers(),
                sent: records * (self.workers() - 1.0),
                written: records,
                bytes,
                formulas: Formulas {
                    work: format!(
                        "B (b m ({rounds} (p + {KERNEL_COST}) + {SWAP_COST}) + \
                         b q {passes} (p + {FEATURE_COST}) + {EXCHANGE_COST:e})"
                    ),
                    seconds: if is_chain {
                        format!(
                            "work ({ALONE} + {} / T) / v + (W > 1) ({HANDOVER} B + 2 written / u)",
                            1.0 - ALONE
                        )
                    } else {
                        "work / (v min(B, W T))".to_owned()
                    },
                    read: "W written".to_owned(),
                    sent: "(W - 1) written".to_owned(),
                    written: format!("B ({RECORD_BYTES} q + 4 m)"),
                    bytes: format!("Z, {}", Sizes::ready_formula()),
                },
            },
        ]
    }

    /// Seconds of the blocks one after the other, each in the threads of a member, which hands over to another.
    fn chain(&self, swaps: f64, records: f64, count: f64) -> f64 {
        let lanes = ALONE + (1.0 - ALONE) / self.threads() as f64;
        let handed = if self.crew.workers > 1 {
            count * HANDOVER + 2.0 * records / self.crew.bandwidth
        } else {
            0.0
        };
        swaps * lanes / self.crew.rate + handed
    }

    /// A stage of the member that ends the run.
    fn alone(&self, cost: StageCost) -> CrewCost {
        let (judged, in_words) = self.sizes.quality_reads();
        let passes = match cost.stage {
            Stage::Quality => (judged, in_words),
            // Of three numbers of picks, two selections each.
            Stage::Rank => (1.0 + 6.0 * judged, format!("(1 + 6 {in_words})")),
            Stage::Weights => (2.0, "2".to_owned()),
            _ => (1.0, "1".to_owned()),
        };
        let (read, in_words) = self.z_read(passes, cost.bytes);
        CrewCost {
            name: cost.stage.name(),
            seconds: self.by_one(cost.multiply_adds, read),
            least: 0.0,
            multiply_adds: cost.multiply_adds,
            read,
            sent: read * self.others(),
            written: 0.0,
            bytes: cost.bytes,
            formulas: Formulas {
                work: match cost.stage {
                    Stage::Quality => self.sizes.quality_formula(),
                    _ => "as of one process".to_owned(),
                },
                seconds: "max(work / (v T), read / u)".to_owned(),
                read: in_words,
                sent: "read (1 - 1 / W)".to_owned(),
                written: "0".to_owned(),
                bytes: cost.formula,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(n: usize, d: usize) -> Outline {
        Outline {
            n_cols: d,
            groups: vec![(n, n / 100)],
            n_threads: 16,
            is_mapped: true,
        }
    }

    fn crew(workers: usize) -> Crew {
        Crew {
            workers,
            rate: 2e10,
            bandwidth: 5e8,
            entry_bytes: 4,
            memory: 0,
        }
    }

    fn stages(n: usize, d: usize, workers: usize) -> Vec<CrewCost> {
        crew_plan(&outline(n, d), &ValidParams::default(), crew(workers))
    }

    fn seconds(n: usize, d: usize, workers: usize) -> f64 {
        stages(n, d, workers)
            .iter()
            .map(|stage| stage.seconds)
            .sum()
    }

    #[test]
    fn the_work_is_that_of_one_process() {
        for d in [48, 768] {
            let params = ValidParams::default();
            let alone = plan(&outline(2_000_000, d), &params);
            let alone: f64 = alone.iter().map(|stage| stage.multiply_adds).sum();
            for workers in [1, 7] {
                let together = stages(2_000_000, d, workers);
                let together: f64 = together.iter().map(|stage| stage.multiply_adds).sum();
                assert!((together / alone - 1.0).abs() < 0.02, "{together} {alone}");
            }
        }
    }

    #[test]
    fn more_workers_take_no_longer_and_the_chain_bounds_them() {
        let mut before = f64::INFINITY;
        for workers in [2, 4, 8, 64, 4096] {
            let now = seconds(100_000_000, 768, workers);
            assert!(now <= before * 1.001, "{workers}: {now} after {before}");
            before = now;
        }
        let chain = |workers| {
            let all = stages(100_000_000, 768, workers);
            all.iter().find(|s| s.name == "exchange").unwrap().seconds
        };
        assert!((chain(64) - chain(4096)).abs() < 1e-6 * chain(64));
        assert!(seconds(100_000_000, 768, 4096) > chain(4096));
    }

    #[test]
    fn one_worker_sends_nothing_and_reads_the_input_once_a_pass() {
        let all = stages(1_000_000, 768, 1);
        assert!(all.iter().all(|stage| stage.sent == 0.0));
        let input = 4.0 * 1e6 * 768.0;
        let read: f64 = all[..3].iter().map(|stage| stage.read).sum();
        assert!((read / input - 4.0).abs() < 0.3, "{}", read / input);
        for workers in [2, 64] {
            for stage in stages(1_000_000, 768, workers) {
                assert!(stage.sent <= stage.read, "{}", stage.name);
            }
        }
    }

    #[test]
    fn a_member_holds_no_more_than_a_process_with_z_mapped() {
        let params = ValidParams::default();
        let peak = plan(&outline(3_000_000, 768), &params);
        let peak = peak.iter().map(|stage| stage.bytes).max();
        let member = stages(3_000_000, 768, 8);
        assert_eq!(member.iter().map(|stage| stage.bytes).max(), peak);
    }

    #[test]
    fn slow_disks_rule_where_there_is_much_to_read() {
        let params = ValidParams::default();
        let slow = Crew {
            bandwidth: 1e6,
            ..crew(1)
        };
        let read = crew_plan(&outline(1_000_000, 768), &params, slow);
        let first = &read[0];
        assert!(first.seconds >= 4.0 * 768.0 * 1e6 / 1e6);
    }

    #[test]
    fn z_is_read_once_where_it_stays_in_memory() {
        let params = ValidParams::default();
        let read = |memory| {
            let all = crew_plan(&outline(3_000_000, 64), &params, Crew { memory, ..crew(1) });
            let of = |name| all.iter().find(|stage| stage.name == name).unwrap().read;
            (of("quality"), of("partition"))
        };
        let z = 4.0 * 3e6 * 64.0;
        assert_eq!(read(16 << 30), (z, z + 4.0 * 3e6));
        for memory in [0, 512 << 20] {
            assert!(read(memory).0 > 5.0 * z && read(memory).1 > 5.0 * z);
        }
    }

    #[test]
    fn few_blocks_and_other_methods_have_no_chain() {
        use crate::options::{Method, Params};
        let names = |method| -> Vec<&str> {
            let params = Params {
                method,
                ..Params::default()
            };
            let stages = crew_plan(&outline(20_000, 8), &params.check().unwrap(), crew(4));
            stages.iter().map(|stage| stage.name).collect()
        };
        let few = [
            "statistics",
            "z",
            "partition",
            "ready",
            "exchange",
            "quality",
        ];
        assert_eq!(names(Method::Fast), few);
        assert_eq!(
            names(Method::KMeans),
            ["statistics", "z", "baseline", "quality"]
        );
    }
}
