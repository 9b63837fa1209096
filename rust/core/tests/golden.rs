//! Selections that cannot change unnoticed: every method's rows on small data, on record in
//! `golden/<method>.<instruction set>.txt`.
//!
//! The descent of `paper` has functions of the C library, whose last bits are others elsewhere: its lists
//! are those of glibc on x86-64, and compared there only.
//!
//! `.ci/renew-golden` writes the lists anew. A changed list needs a line in CHANGELOG.md that is marked
//! value-breaking (tests/test_golden.py compares).

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use fast_select_core::options::{Choice, Init, Method, Params, Space};
use fast_select_core::prepare::{Prepared, prepare};
use fast_select_core::run::instruction_set;
use fast_select_core::run::monitor::Monitor;
use fast_select_core::select::request::Request;
use fast_select_core::select::select_rows;
use ndarray::Array2;

/// Where this variable is set, lists are written instead of compared.
const RENEW: &str = "FAST_SELECT_RENEW_GOLDEN";
const ROWS: usize = 1200;
const CLASSES: usize = 3;

/// Three clusters of unequal spread. Entries are whole multiples of 1/4096, the same on every machine.
fn points(n: usize, d: usize) -> Array2<f64> {
    let mut state = 0x5eed_u64;
    let mut uniform = || {
        // SplitMix64 (Steele et al. 2014).
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 52) as f64 / 4096.0
    };
    Array2::from_shape_fn((n, d), |(i, j)| {
        let class = i % CLASSES;
        let spread = (1 + class) as f64;
        // A sum of four uniforms is near enough to a bell.
        spread * (uniform() + uniform() + uniform() + uniform())
            + 4.0 * f64::from(u8::from(class == j % CLASSES))
    })
}

fn prepared(d: usize) -> Prepared {
    let params = Params::default().check().unwrap();
    prepare(&points(ROWS, d).view(), &params, &Monitor::default()).unwrap()
}

/// The lists of a method, each under its name.
fn lists(method: Method, narrow: &Prepared, wide: &Prepared) -> String {
    let labels: Vec<i64> = (0..ROWS as i64).map(|i| i % CLASSES as i64).collect();
    let many_labels: Vec<i64> = (0..ROWS as i64).map(|i| i % 30).collect();
    let mut text = String::new();
    let mut add = |name: &str, prepared: &Prepared, request: Request<'_>, params: Params| {
        let params = params.check().unwrap();
        let selected = select_rows(prepared, request, &params, &Monitor::default()).unwrap();
        let rows: Vec<String> = selected.rows.iter().map(u32::to_string).collect();
        writeln!(text, "{name}: {}", rows.join(" ")).unwrap();
        selected.rows
    };
    let params = Params {
        method,
        max_steps: 40,
        block_rows: 700,
        ..Params::default()
    };
    let (all, classes) = (
        Request::of(130),
        Request {
            labels: Some(&labels),
            ..Request::of(130)
        },
    );
    let outer = add("none", narrow, all, params.clone());
    add("labels", narrow, classes, params.clone());
    add("80 columns", wide, all, params.clone());
    if method.takes_constraints() {
        let others: Vec<i64> = (0..ROWS as i64)
            .filter(|i| outer.binary_search(&(*i as u32)).is_err())
            .collect();
        let inner = Request {
            exclude: &others,
            ..Request::of(40)
        };
        add("nested", narrow, inner, params.clone());
        let constrained = Request {
            include: &[0, 17, 600],
            exclude: &[1, 2, 3, 1199],
            ..classes
        };
        add("constrained", narrow, constrained, params.clone());
        let many = Request {
            labels: Some(&many_labels),
            ..Request::of(130)
        };
        add("thirty classes", narrow, many, params.clone());
    }
    if method.descends() {
        let space = Space::Joint;
        let joint = Params {
            space,
            ..params.clone()
        };
        add("joint space", narrow, all, joint);
    }
    if method.exchanges() {
        for init in [Init::KMeans, Init::KMeansPlusPlus] {
            let started = Params {
                init,
                ..params.clone()
            };
            add(&format!("from {}", init.name()), narrow, all, started);
        }
    }
    text
}

fn record(method: &str, set: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    folder.join(format!("{method}.{set}.txt"))
}

#[test]
fn of_the_instruction_set_at_hand() {
    let (narrow, wide) = (prepared(6), prepared(80));
    let has_library_of_record = cfg!(all(
        target_arch = "x86_64",
        target_os = "linux",
        target_env = "gnu"
    ));
    for name in Method::NAMES {
        let method = Method::named(name).unwrap();
        if method.descends() && !has_library_of_record {
            continue;
        }
        let lists = lists(method, &narrow, &wide);
        let path = record(name, instruction_set::name());
        if std::env::var_os(RENEW).is_some() {
            std::fs::write(path, lists).unwrap();
            continue;
        }
        let recorded = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            !recorded.is_empty(),
            "no list in {}: .ci/renew-golden writes it",
            path.display()
        );
        for (got, expected) in lists.lines().zip(recorded.lines()) {
            assert_eq!(got, expected, "{}", path.display());
        }
        assert_eq!(lists.lines().count(), recorded.lines().count());
    }
}

#[test]
fn of_every_lesser_instruction_set() {
    let own = instruction_set::name();
    for set in instruction_set::names() {
        if set != own {
            let run = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "of_the_instruction_set_at_hand"])
                .env(instruction_set::VARIABLE, set)
                .output()
                .unwrap();
            let output = String::from_utf8_lossy(&run.stdout);
            assert!(run.status.success(), "{set}: {output}");
            assert!(output.contains("1 passed"), "{set}: {output}");
        }
    }
}
