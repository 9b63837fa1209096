//! Inner loops compiled once per instruction set and chosen at run time.

pub mod elementwise;
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
        let mut twins = vec![Twin::One, Twin::Four, Twin::Eight];
        #[cfg(target_arch = "x86_64")]
        twins.extend(pulp::x86::V3::try_new().map(Twin::Avx2));
        twins
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
