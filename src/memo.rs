//! What was read once, kept by what it was read from: base, tip and head of a change, the rounds of a repair, the merges of a batch and
//! the changes of a history share nearly all of it. Nothing is kept beyond the process, and no more than a limit.

use std::any::Any;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How much is kept unless something else is asked for, in bytes.
pub const LIMIT: usize = 256 << 20;

/// What a value costs beside itself, in bytes: its key, and its place in a map.
const OVERHEAD: usize = 128;

/// Values by their keys, of which those are forgotten first that were not asked for of late.
///
/// There are two generations: what is new, or asked for, is young. Once the young fill half of the limit, they are the old ones, and what
/// was old is forgotten.
#[derive(Debug)]
pub struct Memo<K, V> {
    limit: usize,
    generations: Mutex<Generations<K, V>>,
}

#[derive(Debug)]
struct Generations<K, V> {
    young: HashMap<K, Sized<V>>,
    old: HashMap<K, Sized<V>>,
    /// What the young ones take, in bytes.
    size: usize,
}

#[derive(Debug, Clone)]
struct Sized<V> {
    value: V,
    size: usize,
}

impl<K: Eq + Hash, V: Clone> Memo<K, V> {
    /// One that takes about so many bytes at most.
    pub fn new(limit: usize) -> Self {
        let generations = Generations { young: HashMap::new(), old: HashMap::new(), size: 0 };
        Self { limit, generations: Mutex::new(generations) }
    }

    /// The value of a key, if it is still known.
    pub fn get(&self, key: &K) -> Option<V> {
        // A thread that panicked while it held this left it whole.
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = generations.young.get(key) {
            return Some(known.value.clone());
        }
        let (key, known) = generations.old.remove_entry(key)?;
        let value = known.value.clone();
        generations.add(key, known, self.limit);
        Some(value)
    }

    /// Keeps a value that takes about so many bytes.
    pub fn keep(&self, key: K, value: V, size: usize) {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.add(key, Sized { value, size: size + OVERHEAD }, self.limit);
    }
}

impl<K: Eq + Hash, V> Generations<K, V> {
    fn add(&mut self, key: K, value: Sized<V>, limit: usize) {
        if self.size + value.size > limit / 2 {
            self.old = std::mem::take(&mut self.young);
            self.size = 0;
        }
        self.size += value.size;
        if let Some(before) = self.young.insert(key, value) {
            self.size -= before.size;
        }
    }
}

/// What was made of contents, by a number that is made of them, and of whatever else it depends on. Other contents may have the same
/// number: who asks for a value compares what it was made of.
#[derive(Debug)]
pub struct Derived {
    /// Whether anybody will ask: a run that looks at everything once need not keep anything.
    is_wanted: AtomicBool,
    values: Memo<u64, Arc<dyn Any + Send + Sync>>,
}

impl Derived {
    /// One that takes about so many bytes at most, once it is wanted.
    pub fn new(limit: usize) -> Self {
        Self { is_wanted: AtomicBool::new(false), values: Memo::new(limit) }
    }

    /// From now on, what is made is kept.
    pub fn begin(&self) {
        self.is_wanted.store(true, Ordering::Relaxed);
    }

    /// Whether what is made is kept.
    pub fn is_wanted(&self) -> bool {
        self.is_wanted.load(Ordering::Relaxed)
    }

    /// What is known under a number.
    pub fn get<T: Any + Send + Sync>(&self, number: u64) -> Option<Arc<T>> {
        self.values.get(&number)?.downcast().ok()
    }

    /// What is known of a thing; the name says as what.
    pub fn of<K: Hash + PartialEq + Any + Send + Sync, T: Any + Send + Sync>(
        &self,
        name: &'static str,
        of: &K,
    ) -> Option<Arc<T>> {
        let known = self.get::<Known<K, T>>(number(name, of))?;
        (known.of == *of).then(|| Arc::clone(&known.value))
    }

    /// Keeps what was made of a thing, where it takes about so many bytes.
    pub fn keep_of<K: Hash + Clone + Any + Send + Sync, T: Any + Send + Sync>(
        &self,
        name: &'static str,
        of: &K,
        value: &Arc<T>,
        size: usize,
    ) {
        let known = Arc::new(Known { of: of.clone(), value: Arc::clone(value) });
        self.keep(number(name, of), &known, size + size_of::<Known<K, T>>() + size_of::<T>());
    }

    /// Keeps a value that takes about so many bytes.
    pub fn keep<T: Any + Send + Sync>(&self, number: u64, value: &Arc<T>, size: usize) {
        self.values.keep(number, Arc::clone(value) as Arc<_>, size);
    }
}

/// A value, and what it was made of.
struct Known<K, T> {
    of: K,
    value: Arc<T>,
}

/// The number under which it is known what was made of a thing.
fn number<K: Hash>(name: &str, of: &K) -> u64 {
    let mut hasher = DefaultHasher::new();
    (name, of).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays_and_the_rest_is_forgotten() {
        let memo: Memo<usize, usize> = Memo::new(16 * (OVERHEAD + 100));
        for number in 0..1000 {
            memo.keep(number, number, 100);
            assert_eq!(memo.get(&0), Some(0), "it is asked for all the time");
        }
        assert_eq!(memo.get(&999), Some(999));
        assert_eq!(memo.get(&500), None);
        let generations = memo.generations.lock().expect("nobody panicked");
        assert!(generations.young.len() + generations.old.len() <= 16, "no more than the limit");
    }

    #[test]
    fn a_value_of_another_kind_is_none() {
        let derived = Derived::new(LIMIT);
        derived.keep(1, &Arc::new("text".to_owned()), 4);
        assert_eq!(derived.get::<usize>(1), None);
        assert_eq!(derived.get::<String>(1).as_deref().map(String::as_str), Some("text"));
    }
}
