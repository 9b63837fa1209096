//! Finds the few entries of a row of products that belong to near neighbours.

use pulp::NullaryFnOnce;

use crate::run::instruction_set;

/// Entries that are tested together.
const WIDTH: usize = 32;

struct Scan<'a, F> {
    dots: &'a [f32],
    norms: &'a [f32],
    threshold: f32,
    hit: F,
}

impl<F: FnMut(usize, f32) -> f32> NullaryFnOnce for Scan<'_, F> {
    type Output = f32;

    #[inline(always)]
    fn call(mut self) -> f32 {
        let mut threshold = self.threshold;
        let chunks = self.dots.chunks(WIDTH).zip(self.norms.chunks(WIDTH));
        for (c, (dots, norms)) in chunks.enumerate() {
            let below = |any, (dot, norm): (&f32, &f32)| any | (norm - 2.0 * dot < threshold);
            if dots.len() == WIDTH && !dots.iter().zip(norms).fold(false, below) {
                continue;
            }
            for (k, (dot, norm)) in dots.iter().zip(norms).enumerate() {
                let value = norm - 2.0 * dot;
                if value < threshold {
                    threshold = (self.hit)(c * WIDTH + k, value);
                }
            }
        }
        threshold
    }
}

/// Calls `hit(j, value)` for each j, ascending, whose `value = norms[j] - 2 dots[j]` lies below the
/// threshold; `hit` returns the threshold from there on, and the last one is returned.
///
/// ```
/// use fast_select_core::kernels::scan::scan_below;
///
/// // The nearest of 1, 2 and 3 to 1.75: |x|^2 - 2·1.75 x is -2.5, -3 and -1.5.
/// let mut nearest = 0;
/// let least = scan_below(&[1.75, 3.5, 5.25], &[1.0, 4.0, 9.0], f32::INFINITY, |j, value| {
///     nearest = j;
///     value
/// });
/// assert_eq!((nearest, least), (1, -3.0));
/// ```
pub fn scan_below(
    dots: &[f32],
    norms: &[f32],
    threshold: f32,
    hit: impl FnMut(usize, f32) -> f32,
) -> f32 {
    instruction_set::arch().dispatch(Scan {
        dots,
        norms,
        threshold,
        hit,
    })
}

struct FindEqual<'a, F> {
    values: &'a [u32],
    wanted: u32,
    hit: F,
}

impl<F: FnMut(usize)> NullaryFnOnce for FindEqual<'_, F> {
    type Output = ();

    #[inline(always)]
    fn call(mut self) {
        for (c, values) in self.values.chunks(WIDTH).enumerate() {
            let any = values
                .iter()
                .fold(false, |any, v| any | (*v == self.wanted));
            if any {
                for (k, _) in values
                    .iter()
                    .enumerate()
                    .filter(|(_, v)| **v == self.wanted)
                {
                    (self.hit)(c * WIDTH + k);
                }
            }
        }
    }
}

/// Calls `hit(j)` for each j, ascending, at which `values[j]` is `wanted`.
///
/// ```
/// use fast_select_core::kernels::scan::find_equal;
///
/// let mut hits = vec![];
/// find_equal(&[7, 2, 7], 7, |j| hits.push(j));
/// assert_eq!(hits, [0, 2]);
/// ```
pub fn find_equal(values: &[u32], wanted: u32, hit: impl FnMut(usize)) {
    instruction_set::arch().dispatch(FindEqual {
        values,
        wanted,
        hit,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_a_plain_loop_finds() {
        for len in 0..70 {
            let dots: Vec<f32> = (0..len).map(|i| ((i * 37) % 19) as f32).collect();
            let norms: Vec<f32> = (0..len).map(|i| ((i * 11) % 7) as f32).collect();
            let (mut got, mut expected, mut threshold) = (vec![], vec![], 0.0);
            let last = scan_below(&dots, &norms, 0.0, |j, value| {
                got.push(j);
                value
            });
            for j in 0..len {
                let value = norms[j] - 2.0 * dots[j];
                if value < threshold {
                    expected.push(j);
                    threshold = value;
                }
            }
            assert_eq!(last, threshold);
            assert_eq!(got, expected, "length {len}");
        }
    }

    #[test]
    fn finds_all_equal() {
        for len in 0..70_u32 {
            let values: Vec<u32> = (0..len).map(|i| (i * 7) % 5).collect();
            let mut got = vec![];
            find_equal(&values, 3, |j| got.push(j));
            let expected = (0..values.len()).filter(|&j| values[j] == 3);
            assert_eq!(got, expected.collect::<Vec<_>>(), "length {len}");
        }
    }

    #[test]
    fn not_a_number_is_never_near() {
        let hit = |_, _| panic!("NaN was taken");
        scan_below(&[f32::NAN; 40], &[0.0; 40], f32::INFINITY, hit);
    }
}
