//! Inner loops compiled once per instruction set and chosen at run time.

pub mod exp;
pub mod rows;
pub mod scan;
pub mod sincos;
pub mod thin;
pub mod tile;

/// The instruction set that the kernels of this process use.
#[must_use]
pub fn instruction_set() -> &'static str {
    match pulp::Arch::new() {
        pulp::Arch::Scalar => "scalar",
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        pulp::Arch::V3(_) => "AVX2 + FMA",
        #[cfg(target_arch = "x86_64")]
        pulp::Arch::V4(_) => "AVX-512",
        #[cfg(target_arch = "aarch64")]
        pulp::Arch::Neon(_) => "NEON",
        _ => "other",
    }
}
