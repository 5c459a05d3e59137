//! Many images are read on several threads.

use rayon::prelude::*;

use crate::snapshot::StoreError;

/// Does the same to every item, in order: on several threads from `many` items on, as it takes a while to start one.
pub(super) fn each<T: Sync, U: Send>(
    items: &[T],
    many: usize,
    act: impl Fn(&T) -> Result<U, StoreError> + Sync + Send,
) -> Result<Vec<U>, StoreError> {
    if items.len() < many { items.iter().map(act).collect() } else { items.par_iter().map(act).collect() }
}
