//! The numbers of the documentation's page on three points, computed.

use fast_select_core::arrays::matrix::Matrix;
use fast_select_core::descent::cfd::characteristic_function;
use fast_select_core::exchange::block::Block;
use fast_select_core::options::Params;
use fast_select_core::run::monitor::Monitor;
use fast_select_core::run::rng::{Purpose, Streams};

const PAGE: &str = include_str!("../src/three_points.md");
const POINTS: [f32; 3] = [0.0, 0.5, 1.5];
/// Four decimals are printed.
const PRINTED: f64 = 6e-5;

/// Cells of the rows of the table whose head begins with `head`.
fn table(head: &str) -> Vec<Vec<&'static str>> {
    let lines = PAGE.lines().skip_while(|line| !line.starts_with(head));
    let rows = lines.skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

/// A number, or what comes after the last `=` of a cell.
fn number(cell: &str) -> f64 {
    let last = cell.split('=').next_back().unwrap_or(cell).trim();
    match last.split_once('/') {
        Some((a, b)) => a.parse::<f64>().unwrap() / b.parse::<f64>().unwrap(),
        None => last.parse().unwrap(),
    }
}

/// The rows that a set such as `{0, 3/2}` names.
fn rows(set: &str) -> Vec<u32> {
    let members = set.trim_matches(['{', '}']).split(',');
    let place = |member: &str| {
        let value = number(member.trim());
        POINTS.iter().position(|p| f64::from(*p) == value).unwrap() as u32
    };
    members.map(place).collect()
}

fn all() -> Matrix {
    Matrix::from_vec(POINTS.to_vec(), 3, 1).unwrap()
}

#[test]
fn distances_at_two_frequencies() {
    let x = all();
    let pi = std::f32::consts::PI;
    let freqs = Matrix::from_vec(vec![pi, 2.0 * pi], 2, 1).unwrap();
    let cf = |x: &Matrix| characteristic_function(x.view(), freqs.view(), |_| Ok(())).unwrap();
    let table = table("| S | φ_S(π)");
    assert_eq!(table.len(), 4);
    for row in table {
        let picked = x.view().gather(&rows(row[0]));
        let (own, whole) = (cf(&picked), cf(&x));
        let distances: Vec<f64> = own.squared_differences(&whole).collect();
        assert!((distances[0] - number(row[2])).abs() < PRINTED, "{row:?}");
        assert!((distances[1] - number(row[4])).abs() < PRINTED, "{row:?}");
    }
}

#[test]
fn kernels_of_three_distances() {
    let table = table("| d | r = 0.7");
    assert_eq!(table.len(), 3);
    for row in table {
        let d = number(row[0]);
        let mut sum = 0.0;
        for (r, cell) in [0.7_f64, 1.4, 2.8, 5.6].into_iter().zip(&row[1..5]) {
            let kernel = (-0.5 * r * r * d * d).exp();
            assert!((kernel - number(cell)).abs() < PRINTED, "{row:?}");
            sum += kernel;
        }
        assert!((sum - number(row[5])).abs() < PRINTED, "{row:?}");
    }
}

#[test]
fn scores_of_all_selections() {
    let x = all();
    let mut rng = Streams::new(0).stream(Purpose::Exchange, 0);
    let radius = Params::default().base_radius;
    let block = Block::new(x.view(), 1, radius, &mut rng, &Monitor::default()).unwrap();
    for (potential, printed) in block.potential.iter().zip([2.2684, 2.4321, 1.9548]) {
        assert!((potential - printed).abs() < PRINTED && PAGE.contains(&printed.to_string()));
    }
    let table = table("| S | m times CF distance");
    assert_eq!(table.len(), 6);
    for m in [1, 2] {
        let sets: Vec<_> = table.iter().filter(|row| rows(row[0]).len() == m).collect();
        let scores: Vec<(f64, f64)> = sets
            .iter()
            .map(|row| block.scores(&rows(row[0])).unwrap())
            .collect();
        // Three sets are all that there are: their means are what random picks have.
        let a = scores.iter().map(|s| s.0).sum::<f64>() / 3.0;
        let b = scores.iter().map(|s| s.1).sum::<f64>() / 3.0;
        for (row, (cfd, distance)) in sets.iter().zip(&scores) {
            assert!((cfd - number(row[1])).abs() < PRINTED, "{row:?} {cfd}");
            assert!((distance - number(row[2])).abs() < PRINTED, "{row:?}");
            let score = cfd / a + distance / b;
            assert!(
                (score - number(row[3])).abs() < 2.0 * PRINTED,
                "{row:?} {score}"
            );
        }
    }
}
