//! Loops over entries that the compiler vectorises, at the machine's width.
//!
//! Entries are independent and no products are fused, so that results are the same at any width.

use pulp::{Arch, NullaryFnOnce};

use crate::source::Element;

struct CenterAndScale<'a, T> {
    x: &'a [T],
    offset: &'a [f64],
    scale: &'a [f64],
    out: &'a mut [f32],
}

impl<T: Element> NullaryFnOnce for CenterAndScale<'_, T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let columns = self.offset.iter().zip(self.scale);
        for ((o, x), (offset, scale)) in self.out.iter_mut().zip(self.x).zip(columns) {
            *o = ((x.to_f64() - offset) * scale) as f32;
        }
    }
}

/// `out = (x - offset) scale`, in f64 and rounded once. All slices: (len,).
pub fn center_and_scale<T: Element>(x: &[T], offset: &[f64], scale: &[f64], out: &mut [f32]) {
    Arch::new().dispatch(CenterAndScale {
        x,
        offset,
        scale,
        out,
    });
}

struct SquaredDistances<'a> {
    dots: &'a mut [f32],
    own: f32,
    norms: &'a [f32],
}

impl NullaryFnOnce for SquaredDistances<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (d, norm) in self.dots.iter_mut().zip(self.norms) {
            *d = (self.own + norm - 2.0 * *d).max(0.0);
        }
    }
}

/// `dots <- max(own + norms - 2 dots, 0)`: squared distances from the products of a row of squared
/// norm `own` with others of squared norms `norms`. Both slices: (len,).
pub fn squared_distances(dots: &mut [f32], own: f32, norms: &[f32]) {
    Arch::new().dispatch(SquaredDistances { dots, own, norms });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_match_plain_loops_at_every_length() {
        for len in 0..70 {
            let value = |i: usize| (i * 7 % 11) as f64 - 5.0;
            let (offset, scale): (Vec<f64>, Vec<f64>) =
                (0..len).map(|i| (value(i + 1), value(i + 2))).unzip();
            let x: Vec<u8> = (0..len).map(|i| (i * 37 % 256) as u8).collect();
            let mut out = vec![f32::NAN; len];
            center_and_scale(&x, &offset, &scale, &mut out);
            let norms: Vec<f32> = (0..len).map(|i| value(i + 3) as f32).collect();
            let mut squared: Vec<f32> = (0..len).map(|i| value(i) as f32).collect();
            squared_distances(&mut squared, 2.0, &norms);
            for i in 0..len {
                assert_eq!(out[i], ((f64::from(x[i]) - offset[i]) * scale[i]) as f32);
                let expected = 2.0 + norms[i] - 2.0 * value(i) as f32;
                assert_eq!(squared[i], expected.max(0.0));
            }
        }
    }

    #[test]
    fn not_a_number_stays_where_it_is() {
        let mut out = [0.0; 3];
        let x = [1.0, f64::NAN, f64::INFINITY];
        center_and_scale(&x, &[0.0; 3], &[2.0; 3], &mut out);
        assert!(out[0] == 2.0 && out[1].is_nan() && out[2] == f32::INFINITY);
    }
}
