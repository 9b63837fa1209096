//! The instruction set that kernels run on: the machine's best, or a lesser one that was asked for.
//!
//! `FAST_SELECT_INSTRUCTION_SET=scalar|avx2|avx512|neon` asks, so that what other machines select can
//! be seen, and tested, on this one. Kernels give the same on AVX2 and AVX-512: both fuse, and every
//! sum has an order that no width enters. Not so the small factorisations, which are faer's: where rows are
//! level, as copies are, another may then be selected. Scalar code does not fuse, and selects other rows more often.

use std::sync::OnceLock;

use pulp::Arch;

use crate::run::error::{Error, Result};

/// The environment variable.
pub const VARIABLE: &str = "FAST_SELECT_INSTRUCTION_SET";

/// Those of this machine, best last, by the name that the variable has for them.
fn available() -> Vec<(&'static str, Arch)> {
    let mut found = vec![("scalar", Arch::Scalar)];
    #[cfg(target_arch = "x86_64")]
    {
        found.extend(pulp::x86::V3::try_new().map(|simd| ("avx2", Arch::V3(simd))));
        found.extend(pulp::x86::V4::try_new().map(|simd| ("avx512", Arch::V4(simd))));
    }
    #[cfg(target_arch = "aarch64")]
    if let Arch::Neon(simd) = Arch::new() {
        found.push(("neon", Arch::Neon(simd)));
    }
    found
}

/// What is used, and whether it is the machine's best.
#[derive(Clone, Copy)]
struct Chosen {
    name: &'static str,
    arch: Arch,
    is_best: bool,
}

static CHOSEN: OnceLock<Result<Chosen>> = OnceLock::new();

/// What the variable asks for; the best where it is not set.
fn chosen() -> &'static Result<Chosen> {
    CHOSEN.get_or_init(|| {
        let asked = std::env::var(VARIABLE).unwrap_or_default();
        choose(&asked, &available())
    })
}

/// Uses the instruction set `wanted` from now on, if this machine has it, the variable asks for none, and
/// none is in use yet.
pub fn prefer(wanted: &str) {
    let is_free = std::env::var_os(VARIABLE).is_none_or(|asked| asked.is_empty());
    if is_free && names().contains(&wanted) {
        // What is in use already stays.
        let _ = CHOSEN.set(choose(wanted, &available()));
    }
}

fn choose(asked: &str, available: &[(&'static str, Arch)]) -> Result<Chosen> {
    let best = available.len() - 1;
    let found = if asked.is_empty() {
        Some(best)
    } else {
        available.iter().position(|(name, _)| *name == asked)
    };
    let Some(at) = found else {
        let names: Vec<&str> = available.iter().map(|(name, _)| *name).collect();
        let fact = format!(
            "'{asked}' is not one of this machine's: {}",
            names.join(", ")
        );
        return Err(Error::refused(VARIABLE, fact).fix("Unset it to use the last of them"));
    };
    let (name, arch) = available[at];
    Ok(Chosen {
        name,
        arch,
        is_best: at == best,
    })
}

/// Checks what the variable asks for. Every pool of threads begins with it.
///
/// # Errors
/// [`Error::Refused`] naming the variable, where this machine has no such instruction set.
pub fn check() -> Result<()> {
    chosen().as_ref().map(|_| ()).map_err(Clone::clone)
}

/// The instruction set by which kernels are dispatched.
#[must_use]
pub fn arch() -> Arch {
    chosen().as_ref().map_or_else(|_| Arch::new(), |c| c.arch)
}

/// Its name: `scalar`, `avx2`, `avx512` or `neon`.
#[must_use]
pub fn name() -> &'static str {
    chosen().as_ref().map_or("unknown", |c| c.name)
}

/// Whether it is the best of the machine, which libraries choose by themselves.
#[must_use]
pub fn is_best() -> bool {
    chosen().as_ref().map_or(true, |c| c.is_best)
}

/// The names of all that this machine has, best last.
#[must_use]
pub fn names() -> Vec<&'static str> {
    available().into_iter().map(|(name, _)| name).collect()
}

/// Kernels on vectors that this machine would not choose, for tests.
#[cfg(test)]
pub(crate) mod twin {
    use pulp::WithSimd;

    /// A kind of vector: of scalars, or of AVX2's.
    #[derive(Debug, Clone, Copy)]
    pub enum Twin {
        One,
        Four,
        Eight,
        #[cfg(target_arch = "x86_64")]
        Avx2(pulp::x86::V3),
    }

    /// All that this machine has.
    pub fn twins() -> Vec<Twin> {
        let twins = [Twin::One, Twin::Four, Twin::Eight].into_iter();
        #[cfg(target_arch = "x86_64")]
        let twins = twins.chain(pulp::x86::V3::try_new().map(Twin::Avx2));
        twins.collect()
    }

    impl Twin {
        pub fn run(self, kernel: impl WithSimd<Output = ()>) {
            match self {
                Self::One => kernel.with_simd(pulp::Scalar),
                Self::Four => kernel.with_simd(pulp::Scalar128b),
                Self::Eight => kernel.with_simd(pulp::Scalar256b),
                #[cfg(target_arch = "x86_64")]
                Self::Avx2(simd) => pulp::Simd::vectorize(simd, kernel),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_unless_another_is_asked_for() {
        let available = available();
        let (best, _) = available[available.len() - 1];
        let unasked = choose("", &available).unwrap();
        assert_eq!((unasked.name, unasked.is_best), (best, true));
        let scalar = choose("scalar", &available).unwrap();
        assert_eq!(scalar.is_best, available.len() == 1);
        assert!(matches!(scalar.arch, Arch::Scalar));
        let refused = choose("avx1024", &available).err().unwrap().to_string();
        assert!(
            refused.contains("'avx1024'") && refused.contains("scalar"),
            "{refused}"
        );
    }
}
