//! A sorted map for very many instances with few entries each. It allocates exactly what its entries need, and nothing
//! while it is empty. (A `BTreeMap` allocates space for eleven entries with the first one, and keeps it.)

use std::collections::BTreeMap;

/// The maximum number of entries of the `Few` form.
const FEW: usize = 16;

/// A sorted map.
#[derive(Debug)]
pub(crate) enum SmallMap<K, V> {
    /// A sorted slice: an access is a binary search, an insertion or removal copies the slice.
    Few(Box<[(K, V)]>),
    /// Boxed, so that the map is no larger than a slice.
    #[expect(
        clippy::box_collection,
        reason = "the enum must stay as small as its other variant"
    )]
    Many(Box<BTreeMap<K, V>>),
}

impl<K, V> Default for SmallMap<K, V> {
    fn default() -> Self {
        Self::Few(Box::default())
    }
}

fn find<K: Ord, V>(few: &[(K, V)], key: &K) -> Result<usize, usize> {
    few.binary_search_by(|(known, _)| known.cmp(key))
}

impl<K: Ord, V> SmallMap<K, V> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Few(few) => few.len(),
            Self::Many(many) => many.len(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        match self {
            Self::Few(few) => find(few, key).ok().map(|at| &few[at].1),
            Self::Many(many) => many.get(key),
        }
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        match self {
            Self::Few(few) => find(few, key).ok().map(|at| &mut few[at].1),
            Self::Many(many) => many.get_mut(key),
        }
    }

    /// Inserts a value, or replaces the value of the key.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        match self {
            Self::Many(many) => {
                many.insert(key, value);
            }
            Self::Few(few) => match find(few, &key) {
                Ok(at) => few[at].1 = value,
                Err(at) => {
                    let mut entries = std::mem::take(few).into_vec();
                    entries.reserve_exact(1);
                    entries.insert(at, (key, value));
                    *self = if entries.len() > FEW {
                        Self::Many(Box::new(entries.into_iter().collect()))
                    } else {
                        Self::Few(entries.into())
                    };
                }
            },
        }
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        match self {
            Self::Many(many) => {
                let removed = many.remove(key);
                // Half of FEW, so that a map whose size varies around FEW is not converted each time.
                if many.len() <= FEW / 2 {
                    *self = Self::Few(std::mem::take(&mut **many).into_iter().collect());
                }
                removed
            }
            Self::Few(few) => {
                let at = find(few, key).ok()?;
                let mut entries = std::mem::take(few).into_vec();
                let (_, value) = entries.remove(at);
                *few = entries.into();
                Some(value)
            }
        }
    }

    /// The entries, sorted by key.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let (few, many) = match self {
            Self::Few(few) => (Some(few), None),
            Self::Many(many) => (None, Some(&**many)),
        };
        let few = few.into_iter().flatten().map(|(key, value)| (key, value));
        few.chain(many.into_iter().flatten())
    }

    /// The entries, sorted by key.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        let (few, many) = match self {
            Self::Few(few) => (Some(few), None),
            Self::Many(many) => (None, Some(&mut **many)),
        };
        let few = few.into_iter().flatten().map(|(key, value)| (&*key, value));
        few.chain(many.into_iter().flatten())
    }

    /// The keys, sorted.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_small_map_behaves_like_a_btree_map(steps in proptest::collection::vec((0u8..40, any::<Option<u16>>()), 0..200)) {
            let (mut map, mut tree) = (SmallMap::default(), BTreeMap::new());
            for (key, value) in steps {
                match value {
                    Some(value) => {
                        map.insert(key, value);
                        tree.insert(key, value);
                    }
                    None => prop_assert_eq!(map.remove(&key), tree.remove(&key)),
                }
                prop_assert_eq!(map.get(&key), tree.get(&key));
                prop_assert_eq!(map.contains_key(&key), tree.contains_key(&key));
                prop_assert!(map.iter().eq(tree.iter()));
                prop_assert!(map.keys().eq(tree.keys()));
                prop_assert_eq!(map.len(), tree.len());
            }
        }
    }

    #[test]
    fn a_small_map_is_as_small_as_a_slice() {
        assert_eq!(size_of::<SmallMap<u64, [u64; 4]>>(), size_of::<Box<[u64]>>());
    }
}
