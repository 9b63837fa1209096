//! From numbers of input rows to rows of Z, where some were left out.

use crate::prepare::Prepared;
use crate::run::error::{Error, Result, check_len};

impl Prepared {
    /// The row of Z that input row `row` has become; `None` where it was left out.
    ///
    /// ```
    /// use fast_select_core::options::{NonFinite, Params};
    /// use fast_select_core::prepare::prepare;
    /// use fast_select_core::run::monitor::Monitor;
    ///
    /// let x = ndarray::array![[0.0], [f64::NAN], [2.0]];
    /// let params = Params { nonfinite: NonFinite::Drop, ..Params::default() }.check()?;
    /// let prepared = prepare(&x.view(), &params, &Monitor::default())?;
    /// assert_eq!(prepared.position("indices", 1)?, None);
    /// assert_eq!(prepared.position("indices", 2)?, Some(1));
    /// assert!(prepared.position("indices", 3).is_err());
    /// # Ok::<(), fast_select_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Refused`] naming `what` for a row that is not there.
    pub fn position(&self, what: &'static str, row: i64) -> Result<Option<u32>> {
        let n = self.facts.n_rows;
        match u32::try_from(row) {
            Ok(row) if (row as usize) < n => {
                Ok(self.rows.binary_search(&row).ok().map(|at| at as u32))
            }
            _ => {
                let fact = format!("names row {row} of {n} (rows count from 0)");
                Err(Error::refused(what, fact))
            }
        }
    }

    /// Rows of Z of each class, ascending, given the class (0, 1, ...) of each input row; without
    /// labels all rows are one class.
    ///
    /// ```
    /// use fast_select_core::options::{NonFinite, Params};
    /// use fast_select_core::prepare::prepare;
    /// use fast_select_core::run::monitor::Monitor;
    ///
    /// let x = ndarray::array![[0.0], [f64::NAN], [2.0], [5.0]];
    /// let params = Params { nonfinite: NonFinite::Drop, ..Params::default() }.check()?;
    /// let prepared = prepare(&x.view(), &params, &Monitor::default())?;
    /// assert_eq!(prepared.classes(Some(&[1, 0, 0, 1]))?, [vec![1], vec![0, 2]]);
    /// assert_eq!(prepared.classes(None)?, [[0, 1, 2]]);
    /// # Ok::<(), fast_select_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Refused`] for another number of labels, or one that is no class.
    pub fn classes(&self, labels: Option<&[i64]>) -> Result<Vec<Vec<u32>>> {
        let Some(labels) = labels else {
            return Ok(vec![(0..self.rows.len() as u32).collect()]);
        };
        check_len("labels", labels.len(), self.facts.n_rows)?;
        let mut classes = Vec::new();
        for (at, &row) in self.rows.iter().enumerate() {
            let label = labels[row as usize];
            let class = usize::try_from(label)
                .ok()
                .filter(|class| *class < labels.len());
            let Some(class) = class else {
                let most = labels.len() - 1;
                let fact = format!("hold class {label}, which is not from 0 to {most}");
                return Err(Error::refused("labels", fact));
            };
            if class >= classes.len() {
                classes.resize(class + 1, Vec::new());
            }
            classes[class].push(at as u32);
        }
        Ok(classes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{NonFinite, Params};
    use crate::prepare::prepare;
    use crate::run::monitor::Monitor;

    /// Row 1 of four is left out.
    fn prepared() -> Prepared {
        let x = ndarray::array![[0.0], [f64::NAN], [2.0], [3.0]];
        let params = Params {
            nonfinite: NonFinite::Drop,
            ..Params::default()
        };
        let params = params.check().unwrap();
        prepare(&x.view(), &params, &Monitor::default()).unwrap()
    }

    #[test]
    fn rows_keep_their_numbers() {
        let prepared = prepared();
        let at = |row| prepared.position("rows", row);
        assert_eq!(at(0), Ok(Some(0)));
        assert_eq!(at(1), Ok(None));
        assert_eq!(at(3), Ok(Some(2)));
        assert!(at(-1).is_err() && at(4).is_err() && at(1 << 40).is_err());
    }

    #[test]
    fn classes_hold_the_rows_that_were_kept() {
        let prepared = prepared();
        let classes = |labels: &[i64]| prepared.classes(Some(labels));
        assert_eq!(prepared.classes(None).unwrap(), [vec![0, 1, 2]]);
        assert_eq!(
            classes(&[2, 0, 0, 2]).unwrap(),
            [vec![1], vec![], vec![0, 2]]
        );
        assert!(classes(&[0, 0, 0]).is_err());
        assert!(classes(&[0, 0, -1, 0]).is_err());
        assert!(classes(&[0, 0, 4, 0]).is_err());
    }
}
