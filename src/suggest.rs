//! The name that was meant by one that is not known.

use crate::text::escape;

/// How like names are of which one is meant by the other, from 0 to 1.
const NEAR: f64 = 0.85;

/// How many names are listed before only the nearest are.
const MAX_LISTED: usize = 12;

/// Longer names, in bytes, are like no other: to compare them takes time.
const LONGEST: usize = 200;

/// How many of the nearest are listed.
const FEW: usize = 3;

/// A known name, and how like it is to the one that is not known.
struct Candidate<'n> {
    name: &'n str,
    likeness: f64,
}

fn candidates<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Vec<Candidate<'n>> {
    let mut candidates = Vec::new();
    for candidate in known {
        let likeness = if name.len() > LONGEST { 0.0 } else { strsim::jaro_winkler(name, candidate) };
        candidates.push(Candidate { name: candidate, likeness });
    }
    candidates
}

fn sort(candidates: &mut [Candidate<'_>]) {
    candidates.sort_by(|one, other| other.likeness.total_cmp(&one.likeness));
}

fn list(candidates: &[Candidate<'_>]) -> String {
    // Names may be of the repository, and this is printed as it is.
    candidates.iter().map(|candidate| escape(candidate.name)).collect::<Vec<_>>().join(", ")
}

/// The known name that was meant, if one is near enough.
pub fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let mut candidates = candidates(name, known);
    sort(&mut candidates);
    let nearest = candidates.first().filter(|candidate| candidate.likeness > NEAR);
    nearest.map(|candidate| candidate.name)
}

/// Says which of the known names was meant, or lists them; of many, the nearest.
pub fn suggest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    let mut candidates = candidates(name, known);
    let all = list(&candidates);
    sort(&mut candidates);
    match candidates.first() {
        Some(nearest) if nearest.likeness > NEAR => format!("did you mean `{}`?", escape(nearest.name)),
        Some(_) if candidates.len() > MAX_LISTED => {
            format!("the nearest of {} are {}", candidates.len(), list(&candidates[..FEW]))
        }
        Some(_) => format!("known: {all}"),
        None => "nothing is known here".to_owned(),
    }
}
