//! What merging promises, held against a naive fold in memory.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;

/// Separators that are plain, empty, or overlap themselves and the keys.
const SEPARATORS: [&str; 12] =
    [" ", "", "a", "aa", "aaa", "ab", "aba", "abab", "abaab", "ba", "a b", "  "];
const COLLISIONS: [Collision; 3] = [Collision::Last, Collision::First, Collision::Error];

fn dict(json: &str) -> Map {
    Value::from_json(json.as_bytes()).unwrap().as_map().unwrap().clone()
}

fn shown(result: Result<Map, Fault>) -> String {
    match result {
        Ok(map) => Value::from(map).to_string(),
        Err(fault) => format!("{}\n{}", fault.code, fault.message),
    }
}

/// The fold from the left as a newcomer would write it.
fn naive(op: &ReduceOp, parts: &[Map]) -> Result<Map, String> {
    if parts.iter().any(Map::is_empty) {
        return Ok(Map::new());
    }
    let (first, others) = parts.split_first().unwrap();
    let mut merged = first.clone();
    for part in others {
        let mut next = Map::new();
        for (k1, v1) in merged.iter() {
            for (k2, v2) in part.iter() {
                let key = format!("{k1}{}{k2}", op.separator);
                let value = format!("{}{}{}", text(v1), op.separator, text(v2));
                match op.collision {
                    Collision::Error if next.contains(&key) => return Err(key),
                    Collision::First if next.contains(&key) => {}
                    _ => drop(next.insert(key, Value::from(value))),
                }
            }
        }
        merged = next;
    }
    Ok(merged)
}

fn assert_like_naive(op: &ReduceOp, parts: &[Map]) {
    let context = format!("{op:?}\n{parts:?}");
    match (op.merge(parts.to_vec()), naive(op, parts)) {
        (Ok(ours), Ok(theirs)) => {
            let entries = |map: &Map| {
                map.iter().map(|(key, value)| format!("{key:?}: {value}")).collect::<Vec<_>>()
            };
            assert_eq!(entries(&ours), entries(&theirs), "{context}");
        }
        (Err(fault), Err(key)) => {
            assert_eq!(fault.code, "KeyCollision");
            let quoted = Value::from(&*key).to_string();
            assert!(fault.message.contains(&quoted), "{fault}\n{key}\n{context}");
        }
        (ours, theirs) => panic!("{ours:?}\n{theirs:?}\n{context}"),
    }
}

/// Dictionaries whose values tell where they come from.
fn parts_of(keys: Vec<Vec<String>>) -> Vec<Map> {
    let part = |(at, keys): (usize, Vec<String>)| {
        let value = |(row, key)| (key, Value::from(format!("{at}.{row}")));
        keys.into_iter().enumerate().map(value).collect()
    };
    keys.into_iter().enumerate().map(part).collect()
}

fn any_keys(
    letters: &'static str,
    parts: std::ops::Range<usize>,
) -> impl Strategy<Value = Vec<Map>> {
    let part = prop::collection::vec(letters, 0..7);
    prop::collection::vec(part, parts).prop_map(parts_of)
}

fn any_op() -> impl Strategy<Value = ReduceOp> {
    let policy = (prop::sample::select(&SEPARATORS[..]), prop::sample::select(&COLLISIONS[..]));
    policy.prop_map(|(separator, collision)| {
        ReduceOp::default().separator(separator).collision(collision)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn two_parts_make_the_pairs_that_a_naive_merge_makes(
        op in any_op(),
        parts in any_keys("[ab ]{0,4}", 2..3),
    ) {
        assert_like_naive(&op, &parts);
    }

    #[test]
    fn more_parts_make_what_a_naive_fold_makes(
        op in any_op(),
        parts in any_keys("[ab ]{0,3}", 2..5),
    ) {
        assert_like_naive(&op, &parts);
    }

    #[test]
    fn keys_of_one_letter_collide_as_in_a_naive_fold(
        op in any_op(),
        parts in any_keys("a{0,5}", 2..5),
    ) {
        assert_like_naive(&op, &parts);
    }

    #[test]
    fn parts_that_cannot_collide_around_some_that_do_change_nothing(
        op in any_op(),
        before in any_keys("[xyz]{1,2}", 1..2),
        parts in any_keys("[ab ]{0,3}", 2..4),
        after in any_keys("[xyz]{1,2}", 1..3),
    ) {
        assert_like_naive(&op, &[before, parts, after].concat());
    }
}

/// Every pair of dictionaries of two keys each, out of all keys of at most three letters.
#[test]
fn all_small_dictionaries_merge_as_a_naive_merge_does() {
    let mut words = vec![String::new()];
    for len in 0..3 {
        let longest: Vec<String> = words.iter().filter(|it| it.len() == len).cloned().collect();
        words.extend(longest.iter().flat_map(|it| [format!("{it}a"), format!("{it}b")]));
    }
    let pairs: Vec<Vec<String>> = words
        .iter()
        .enumerate()
        .flat_map(|(at, one)| words[..at].iter().map(move |other| vec![one.clone(), other.clone()]))
        .collect();
    let mut collided: BTreeMap<&str, u32> = BTreeMap::new();
    for separator in ["", "a", "aa", "ab", "aba", "abab", "aab"] {
        let op = ReduceOp::default().separator(separator);
        for left in &pairs {
            for right in &pairs {
                let parts = parts_of(vec![left.clone(), right.clone()]);
                assert_like_naive(&op, &parts);
                let merged = naive(&op, &parts).unwrap();
                *collided.entry(separator).or_default() += u32::from(merged.len() < 4);
            }
        }
    }
    // Each separator has been seen to make keys collide.
    assert!(collided.values().all(|&count| count > 0), "{collided:?}");
    assert_eq!(collided.len(), 7);
}

fn plan_is_sewn(separator: &str, parts: &[&[&str]]) -> bool {
    let entry = |key: &&str| -> Entry { ((*key).into(), "".into()) };
    let parts = parts.iter().map(|part| part.iter().map(entry).collect()).collect();
    let rule = Rule { separator, collision: Collision::Last };
    Product::plan(parts, rule, &Tally::new(&Unwatched, 0)).unwrap().is_sewn()
}

#[test]
fn keys_are_only_looked_at_closely_where_they_may_collide() {
    assert!(!plan_is_sewn(" ", &[&["1", "3"], &["5", "7"], &["9", "11"]]));
    assert!(!plan_is_sewn(" ", &[&["How are you?", "Where?"], &["Who are you?", "you?"]]));
    assert!(!plan_is_sewn(" ", &[&["a", "a b"], &["x", "y"]]));
    assert!(!plan_is_sewn(" ", &[&["x", "y"], &["b c", "c"]]));
    assert!(!plan_is_sewn("", &[&["ab", "cd"], &["a", "aa"]]));
    assert!(!plan_is_sewn(" ", &[&["x", "y"], &["c", "b c"], &["a", "a b"], &["x", "y"]]));
    assert!(plan_is_sewn(" ", &[&["a", "a b"], &["b c", "c"]]));
    assert!(plan_is_sewn("aa", &[&["x", "xa"], &["ay", "y"]]));
    assert!(plan_is_sewn("", &[&["a", "aa"], &["ab", "b"]]));
}

#[test]
fn an_intermediate_that_would_have_to_be_kept_is_bounded() {
    let keys = |count: usize| (0..count).map(|it| it.to_string());
    let colliding = |count| keys(count).chain(["a b".to_owned(), "a".to_owned()]);
    let ending = |count| keys(count).chain(["b c".to_owned(), "c".to_owned()]);
    let parts =
        parts_of(vec![colliding(1100).collect(), keys(1100).collect(), ending(2).collect()]);
    let fault = ReduceOp::default().merge(parts).unwrap_err();
    assert_snapshot!(shown(Err(fault)), @r#"
    ResultTooLarge
    joined keys may be equal, so an intermediate dictionary of 1212200 entries would have to be kept, at most 1000000 are; choose a separator that the keys do not contain, or fewer parts
    "#);
}

#[test]
fn a_product_of_a_hundred_parts_is_walked_and_of_more_is_refused() {
    let parts = |count| (0..count).map(|at| parts_of(vec![vec![at.to_string()]]).remove(0));
    assert_eq!(ReduceOp::default().merge(parts(100).collect()).unwrap().len(), 1);
    assert_eq!(ReduceOp::default().merge(parts(101).collect()).unwrap_err().code, "ResultTooLarge");
}

#[test]
fn other_values_join_as_compact_text() {
    let one = dict(r#"{"a": {"x": [1, 2.5]}, "b": null, "c": "é\n"}"#);
    let other = dict(r#"{"d": true}"#);
    let merged = shown(ReduceOp::default().merge(vec![one, other]));
    assert_eq!(merged, r#"{"a d":"{\"x\":[1,2.5]} true","b d":"null true","c d":"é\n true"}"#);
}

#[test]
fn one_part_is_taken_over_as_it_is() {
    for merge in [Merge::Pairs, Merge::Zip(Uneven::Error), Merge::Union(Conflict::Error)] {
        let merged = ReduceOp::new(merge.clone()).merge(vec![dict(r#"{"a": 1}"#)]);
        assert_eq!(shown(merged), r#"{"a":1}"#);
        assert_eq!(shown(ReduceOp::new(merge).merge(vec![])), "{}");
    }
}

#[test]
fn zip_joins_neighbours_and_does_with_the_rest_as_it_is_told() {
    let zip = |uneven| {
        let parts = vec![dict(r#"{"a": 1, "b": 2}"#), dict(r#"{"c": 3}"#), dict(r#"{"d": 4}"#)];
        shown(ReduceOp::new(Merge::Zip(uneven)).merge(parts))
    };
    assert_snapshot!(zip(Uneven::Truncate), @r#"{"a c d":"1 3 4"}"#);
    assert_snapshot!(zip(Uneven::Carry), @r#"{"a c d":"1 3 4","b":2}"#);
    assert_snapshot!(zip(Uneven::Error), @r#"
    UnevenParts
    the parts have 2 and 1 entries; let "uneven" be "truncate" or "carry", or choose a split that makes equal parts
    "#);
}

#[test]
fn zip_follows_the_collision_rule() {
    let zip = |collision| {
        let parts =
            vec![dict(r#"{"a": 1, "x": 2, "a b": 3}"#), dict(r#"{"b c": 4, "y": 5, "c": 6}"#)];
        shown(ReduceOp::new(Merge::Zip(Uneven::Error)).collision(collision).merge(parts))
    };
    assert_snapshot!(zip(Collision::Last), @r#"{"a b c":"3 6","x y":"2 5"}"#);
    assert_snapshot!(zip(Collision::First), @r#"{"a b c":"1 4","x y":"2 5"}"#);
    assert_snapshot!(zip(Collision::Error), @r#"
    KeyCollision
    two entries have the key "a b c" once joined; let "collision" be "last" or "first", or choose a separator that the keys do not contain
    "#);
}

#[test]
fn union_follows_the_conflict_rule() {
    let union = |conflict| {
        let parts = vec![dict(r#"{"a": 1, "b": 2}"#), dict(r#"{"c": 3, "a": "4"}"#)];
        shown(ReduceOp::new(Merge::Union(conflict)).separator("+").merge(parts))
    };
    assert_snapshot!(union(Conflict::Last), @r#"{"a":"4","b":2,"c":3}"#);
    assert_snapshot!(union(Conflict::First), @r#"{"a":1,"b":2,"c":3}"#);
    assert_snapshot!(union(Conflict::Join), @r#"{"a":"1+4","b":2,"c":3}"#);
    assert_snapshot!(union(Conflict::Error), @r#"
    KeyConflict
    two parts have the key "a"; let "conflict" be "last", "first" or "join"
    "#);
}

#[test]
fn a_result_over_the_cap_is_refused() {
    let parts = vec![dict(r#"{"a": 1, "b": 2}"#), dict(r#"{"c": 3, "d": 4}"#)];
    let pairs = ReduceOp::default().max_entries(3);
    assert_snapshot!(shown(pairs.merge(parts.clone())), @r#"
    ResultTooLarge
    the result would have 4 entries, at most 3 are allowed; use smaller dictionaries or a merge that makes fewer
    "#);
    let doubling = Merge::with(|one, _| Ok(one.clone()));
    let custom = ReduceOp::new(doubling).max_entries(1);
    assert_eq!(custom.merge(parts).unwrap_err().code, "ResultTooLarge");
}

#[test]
fn a_closure_may_merge_as_it_likes() {
    let longest = Merge::with(|one, other| {
        Ok(if one.len() < other.len() { other.clone() } else { one.clone() })
    });
    let parts = vec![dict(r#"{"a": 1}"#), dict(r#"{"b": 2, "c": 3}"#)];
    assert_eq!(shown(ReduceOp::new(longest).merge(parts)), r#"{"b":2,"c":3}"#);
    let failing = Merge::with(|_, _| Err(Fault::last("Mine", "no")));
    let parts = vec![Map::new(), Map::new()];
    assert_eq!(shown(ReduceOp::new(failing).merge(parts)), "Mine\nno");
}
