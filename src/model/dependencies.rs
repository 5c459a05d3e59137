//! The list of dependencies of a tree.

use std::sync::{Arc, OnceLock};

use crate::parse::dependencies::{DependencyList, DependencyListError};
use crate::snapshot::{ReadError, Snapshot, StoreError};
use crate::text::Text;

/// The file that lists versions and the files that repeat them.
#[derive(Debug, Clone)]
pub struct DependencyFile {
    /// Its path.
    pub path: Arc<str>,
    /// Its text, or why it has none.
    pub text: Result<Arc<Text>, ReadError>,
    /// What the text says. It is read when it is first asked for, and shared by trees in which it is the same: few changes concern it.
    list: Arc<OnceLock<Result<DependencyList, DependencyListError>>>,
}

impl DependencyFile {
    pub(super) fn read(
        path: &Arc<str>,
        snapshot: &Snapshot<'_>,
        known: Option<&Self>,
    ) -> Result<Option<Self>, StoreError> {
        let Some(text) = snapshot.text(path)? else { return Ok(None) };
        if let (Some(known), Ok(text)) = (known, &text)
            && known.text.as_ref().is_ok_and(|known| Arc::ptr_eq(known, text))
        {
            return Ok(Some(known.clone()));
        }
        Ok(Some(Self { path: Arc::clone(path), text, list: Arc::default() }))
    }

    /// What the list says; `None` where the file has no text.
    ///
    /// # Errors
    /// What is wrong with the text, and where.
    pub fn list(&self) -> Result<Option<&DependencyList>, &DependencyListError> {
        let Ok(text) = &self.text else { return Ok(None) };
        self.list.get_or_init(|| DependencyList::parse(text)).as_ref().map(Some)
    }
}
