//! When the server is frozen and killed: drawn from the seed before anything begins.

use jobmill_model::Span;

use super::dice::Dice;

/// How long a freeze lasts: longer than the leases of workers outside.
pub(super) const FREEZE: Span = Span::from_secs(2);

/// One life of the server, up to the moment at which it is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// Killed so long after its process was started, perhaps before it serves.
    Stillborn(Span),
    /// Killed so long after it began to serve.
    Short(Span),
    /// Serves, is frozen, goes on for so long again, and is killed.
    Frozen(Span),
    /// Serves for so long, is frozen for a moment, and killed without having gone on.
    Cold(Span),
}

/// Where the throws for lives begin, so that they are not those of the work.
const STREAM: u64 = u64::MAX;

/// The lives that end in so many kills. Of every five, one is frozen for long.
pub(super) fn draw(seed: u64, kills: u32) -> Vec<Life> {
    let mut dice = Dice::of(seed, STREAM);
    let mut span = |range| Span::from_millis(dice.within(range));
    let life = |number: u32| match number % 5 {
        1 => Life::Frozen(span(20..600)),
        2 if span(0..2).as_millis() == 0 => Life::Stillborn(span(0..60)),
        3 if span(0..4).as_millis() == 0 => Life::Cold(span(20..600)),
        4 => Life::Short(span(1..100)),
        _ => Life::Short(span(20..1_500)),
    };
    (0..kills).map(life).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lives_depend_on_the_seed_alone_and_every_sort_comes_up() {
        let lives = draw(3, 100);
        assert_eq!(lives, draw(3, 100));
        assert_ne!(lives, draw(4, 100));
        assert_eq!(lives.len(), 100);
        let has = |is: fn(&Life) -> bool| lives.iter().any(is);
        assert!(has(|life| matches!(life, Life::Stillborn(_))));
        assert!(has(|life| matches!(life, Life::Cold(_))));
        assert!(has(|life| matches!(life, Life::Short(_))));
        assert_eq!(lives.iter().filter(|life| matches!(life, Life::Frozen(_))).count(), 20);
    }
}
