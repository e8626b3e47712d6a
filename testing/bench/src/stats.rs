//! Medians and spread.

/// The median of some samples and how far the middle half of them lies around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    /// The middle sample.
    pub(crate) median: f64,
    /// Half the distance between the quartiles, as a share of the median.
    pub(crate) spread: f64,
}

/// The value below which the share `q` of `sorted` lies, between two samples if need be.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let at = q * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    low + (high - low) * at.fract()
}

/// The median of `samples`, of which there is at least one.
pub(crate) fn median(samples: &[f64]) -> f64 {
    summarise(samples).median
}

/// The median and spread of `samples`, of which there is at least one.
pub(crate) fn summarise(samples: &[f64]) -> Summary {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let median = quantile(&sorted, 0.5);
    let quartiles = quantile(&sorted, 0.75) - quantile(&sorted, 0.25);
    Summary {
        median,
        spread: quartiles / 2.0 / median,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_between_samples() {
        let summary = summarise(&[4.0, 1.0, 3.0, 2.0]);
        assert_eq!(summary.median, 2.5);
        assert_eq!(summary.spread, 0.75 / 2.5);
    }

    #[test]
    fn one_sample_has_no_spread() {
        assert_eq!(
            summarise(&[7.0]),
            Summary {
                median: 7.0,
                spread: 0.0
            }
        );
    }
}
