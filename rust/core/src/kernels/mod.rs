//! Inner loops compiled once per instruction set and chosen at run time.
//!
//! | file | what it does |
//! |---|---|
//! | [`product`] | dense products |
//! | [`tile`] | products of rows that stay in registers until they have been used |
//! | [`thin`] | products of a tall matrix with a thin one |
//! | [`squared_distance`] | squared distances, from products and by differences: the one rule for what rounding leaves of 0 |
//! | [`exp`] | Gaussian kernels at doubling radii |
//! | [`sincos`] | sines and cosines, their sums and derivatives |
//! | [`scan`] | the few entries of a row of products that belong to near neighbours |
//! | [`rows`] | sums and minima over some rows of a block |
//! | [`columns`] | centring and scaling, and statistics, of columns |
//! | [`element`] | entries of the input, of any type |
//! | [`sum`] | the sum of a row |
//!
//! Entries are independent and sums have lanes of their own, so that a kernel gives the same at any
//! width; where one fuses, its documentation says so.

pub mod columns;
pub mod element;
pub mod exp;
pub mod product;
pub mod rows;
pub mod scan;
pub mod sincos;
pub mod squared_distance;
pub mod sum;
pub mod thin;
pub mod tile;

use pulp::{Arch, NullaryFnOnce};

use crate::run::instruction_set;

/// A loop that multiplies and adds, fused or not.
trait Loop {
    type Output;

    /// Implementations must be `#[inline(always)]`, or the instruction set is lost.
    fn run<const FMA: bool>(self) -> Self::Output;
}

struct Fused<L>(L);

impl<L: Loop> NullaryFnOnce for Fused<L> {
    type Output = L::Output;

    #[inline(always)]
    fn call(self) -> L::Output {
        self.0.run::<true>()
    }
}

/// Runs a loop at the width of the instruction set at hand, fused where it has that.
fn dispatch<L: Loop>(this: L) -> L::Output {
    match instruction_set::arch() {
        Arch::Scalar => this.run::<false>(),
        arch => arch.dispatch(Fused(this)),
    }
}

/// `a b + c`. Without the instruction, `f32::mul_add` is a library call that takes 50 times as
/// long.
#[inline(always)]
fn mul_add<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}
