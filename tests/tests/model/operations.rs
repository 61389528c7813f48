//! What may happen: the operations, and how sequences of them are made up.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any};
use proptest::prop_oneof;

use super::retention::Rules;
use super::verdicts::{self, Written};

/// An account, and how the function is set up in it.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) rules: Rules,
    pub(super) max_prune: usize,
    pub(super) concurrency: u32,
    pub(super) pages_of: Option<u32>,
    pub(super) event_bus: bool,
    pub(super) second: Second,
    /// Whether a new snapshot is completed at once; else it is pending until an operation settles it.
    pub(super) at_once: bool,
    /// The points of the past, newest first, what was found of the first of them, and how many hours they are apart.
    pub(super) past: Vec<Past>,
    pub(super) found: Vec<Written>,
    pub(super) past_step: i64,
}

/// Whether there is a second cluster, and whether `CLUSTERS` leaves it out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Second {
    None,
    InScope,
    OutOfScope,
}

/// A point that was there before.
#[derive(Clone, Copy, Debug)]
pub(super) enum Past {
    Whole,
    Skewed,
    /// Of every member there is a second snapshot, and the second ones are further apart.
    Twice,
    /// After it a blank volume took the place of one member's.
    Replaced,
    Partial,
    Failed,
    Pinned,
}

/// One operation. Numbers choose among what there is, round and round.
#[derive(Clone, Debug)]
pub(super) enum Op {
    /// So many hours pass, and the event of the last one is delivered.
    Hour { hours: u8, troubles: Vec<Trouble> },
    /// The last event is delivered once more.
    Again { same_request: bool, troubles: Vec<Trouble> },
    /// An older event is delivered once more, so many minutes after the newest.
    Retry { slot: u8, minutes: u8, troubles: Vec<Trouble> },
    /// So many hours pass (with none, the last event's), and the event is delivered to two processes at once. What
    /// they took twice is then so many seconds apart.
    Together { hours: u8, apart: u8, troubles: Vec<Trouble> },
    /// A person takes a backup; the same invocation is delivered once or twice.
    ByHand { keep: bool, prune: bool, one_cluster: bool, deliveries: u8 },
    /// Every so manieth pending snapshot is completed.
    Settle { every: u8 },
    /// A pending snapshot ends in error.
    Fail(u8),
    /// A pending snapshot never settles.
    Stick(u8),
    /// A volume is deleted.
    Lose(u8),
    /// All volumes of an etcd cluster are deleted.
    LoseAll(u8),
    /// A blank volume takes the place of a lost one, or of any.
    Replace(u8),
    /// An operator pins a point, by one member's snapshot.
    Pin(u8),
    /// An operator unpins a point.
    Unpin(u8),
    /// Verdicts are written on one point after the other, from one on to older ones: on all its snapshots, or on
    /// one alone.
    Judge { found: Vec<Written>, which: u8, alone: Option<u8> },
    /// A snapshot appears that is not ours.
    Foreign(Foreign, u8),
}

/// How a snapshot that is not ours comes to look like one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Foreign {
    /// Another tool's: kops' tags, without our mark.
    Unmarked,
    /// Our mark and kops' tags, but no word of the volume.
    MarkAlone,
    /// A copy of one of ours: all its tags, another `VolumeId`.
    Copy,
    /// One of ours in every way, but another account's.
    OtherOwner,
}

/// What goes wrong under the calls of one delivery; the number chooses the volume.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trouble {
    /// Create: EC2 is too busy, so many times.
    Throttled(u8, u8),
    /// Create: too soon after the last snapshot of the volume.
    TooSoon(u8),
    /// Create: EC2 refuses for good.
    Refused(u8),
    /// Create: done, the connection breaks.
    AnswerLost(u8),
    /// Create: done, answered with status 500.
    Answered500(u8),
    /// Create: done, the connection breaks, and it is a while before the snapshot can be seen.
    SeenLate(u8),
    /// Create: the connection breaks, nothing done. The deadline is then short.
    RequestLost(u8),
    /// Delete: in use.
    InUse,
    /// Delete: done, the connection breaks.
    DeleteAnswerLost,
    /// The second page of a listing gets lost.
    ListingCut,
}

impl Op {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Hour { .. } => "an hour passes",
            Self::Again { same_request: true, .. } => "redelivery, same request",
            Self::Again { .. } => "redelivery",
            Self::Retry { .. } => "retry of an older slot",
            Self::Together { .. } => "concurrent deliveries",
            Self::ByHand { deliveries: 2, .. } => "by hand, twice",
            Self::ByHand { .. } => "by hand",
            Self::Settle { every: 1 } => "all settle",
            Self::Settle { .. } => "some settle",
            Self::Fail(_) => "one ends in error",
            Self::Stick(_) => "one is stuck",
            Self::Lose(_) => "volume lost",
            Self::LoseAll(_) => "all volumes lost",
            Self::Replace(_) => "volume replaced",
            Self::Pin(_) => "pinned",
            Self::Unpin(_) => "unpinned",
            Self::Judge { .. } => "judged",
            Self::Foreign(Foreign::Unmarked, _) => "foreign: unmarked",
            Self::Foreign(Foreign::MarkAlone, _) => "foreign: mark alone",
            Self::Foreign(Foreign::Copy, _) => "foreign: copy",
            Self::Foreign(Foreign::OtherOwner, _) => "foreign: other owner",
        }
    }
}

impl Trouble {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Throttled(..) => "create throttled",
            Self::TooSoon(_) => "create too soon",
            Self::Refused(_) => "create refused",
            Self::AnswerLost(_) => "create, answer lost",
            Self::Answered500(_) => "create, answered 500",
            Self::SeenLate(_) => "create, seen late",
            Self::RequestLost(_) => "create, request lost",
            Self::InUse => "delete, in use",
            Self::DeleteAnswerLost => "delete, answer lost",
            Self::ListingCut => "listing cut",
        }
    }
}

pub(super) fn setups() -> impl Strategy<Value = Setup> {
    let second = prop_oneof![2 => Just(Second::None), 2 => Just(Second::InScope), 1 => Just(Second::OutOfScope)];
    let usual = Rules { last: 2, hourly: 4, daily: 2, ..Rules::default() };
    let any_rules = (0..4_u32, 0..5_u32, 0..4_u32, 0..2_u32, prop_oneof![2 => Just(0), 1 => 1..30_u32])
        .prop_map(|(last, hourly, daily, weekly, within)| Rules { last, hourly, daily, weekly, within })
        .prop_filter("all zero is refused", |rules| *rules != Rules::default());
    let past = prop_oneof![
        4 => Just(Past::Whole), 3 => Just(Past::Skewed), 2 => Just(Past::Twice), 1 => Just(Past::Replaced),
        1 => Just(Past::Partial), 3 => Just(Past::Failed), 1 => Just(Past::Pinned)
    ];
    let function = (
        prop_oneof![1 => Just(usual), 2 => any_rules],
        prop_oneof![2 => Just(100_usize), 1 => Just(12)],
        prop_oneof![2 => Just(16_u32), 1 => Just(2)],
        any::<bool>(),
        prop_oneof![3 => Just(false), 1 => Just(true)],
    );
    let account = (prop_oneof![2 => Just(None), 1 => (3..8_u32).prop_map(Some)], second);
    let past = (vec(past, 0..9), verdicts::found(0..9), 1..8_i64);
    (function, account, past).prop_map(
        |((rules, max_prune, concurrency, event_bus, at_once), (pages_of, second), (past, found, past_step))| Setup {
            rules,
            max_prune,
            concurrency,
            pages_of,
            event_bus,
            second,
            at_once,
            past,
            found,
            past_step,
        },
    )
}

pub(super) fn operations() -> impl Strategy<Value = Vec<Op>> {
    // From one on, so that a failing sequence can shrink to the few that matter.
    vec(operation(), 1..30)
}

fn operation() -> impl Strategy<Value = Op> {
    let hours = prop_oneof![3 => Just(1_u8), 1 => 2..7_u8];
    let foreign =
        prop_oneof![Just(Foreign::Unmarked), Just(Foreign::MarkAlone), Just(Foreign::Copy), Just(Foreign::OtherOwner)];
    let deliveries = prop_oneof![
        12 => (hours, troubles()).prop_map(|(hours, troubles)| Op::Hour { hours, troubles }),
        3 => (any::<bool>(), troubles()).prop_map(|(same_request, troubles)| Op::Again { same_request, troubles }),
        3 => (any::<u8>(), 1..90_u8, troubles())
            .prop_map(|(slot, minutes, troubles)| Op::Retry { slot, minutes, troubles }),
        4 => (0..4_u8, 0..9_u8, troubles()).prop_map(|(hours, apart, mut troubles)| {
            // What comes into sight after the other process is done would be another test's matter.
            troubles.retain(|trouble| !matches!(trouble, Trouble::SeenLate(_)));
            Op::Together { hours, apart, troubles }
        }),
        3 => (any::<bool>(), any::<bool>(), any::<bool>(), 1..3_u8)
            .prop_map(|(keep, prune, one_cluster, deliveries)| Op::ByHand { keep, prune, one_cluster, deliveries }),
    ];
    let interference = prop_oneof![
        10 => prop_oneof![4 => Just(1_u8), 1 => 2..4_u8].prop_map(|every| Op::Settle { every }),
        4 => any::<u8>().prop_map(Op::Fail),
        1 => any::<u8>().prop_map(Op::Stick),
        1 => any::<u8>().prop_map(Op::Lose),
        1 => any::<u8>().prop_map(Op::LoseAll),
        4 => any::<u8>().prop_map(Op::Replace),
        1 => any::<u8>().prop_map(Op::Pin),
        1 => any::<u8>().prop_map(Op::Unpin),
        10 => (verdicts::found(1..5), verdicts::which(), option::weighted(0.3, any::<u8>()))
            .prop_map(|(found, which, alone)| Op::Judge { found, which, alone }),
        3 => (foreign, any::<u8>()).prop_map(|(how, which)| Op::Foreign(how, which)),
    ];
    prop_oneof![deliveries, interference]
}

fn troubles() -> impl Strategy<Value = Vec<Trouble>> {
    let volume = any::<u8>;
    let trouble = prop_oneof![
        2 => (volume(), 1..3_u8).prop_map(|(volume, times)| Trouble::Throttled(volume, times)),
        1 => volume().prop_map(Trouble::TooSoon),
        2 => volume().prop_map(Trouble::Refused),
        3 => volume().prop_map(Trouble::AnswerLost),
        2 => volume().prop_map(Trouble::Answered500),
        2 => volume().prop_map(Trouble::SeenLate),
        1 => volume().prop_map(Trouble::RequestLost),
        2 => Just(Trouble::InUse),
        2 => Just(Trouble::DeleteAnswerLost),
        1 => Just(Trouble::ListingCut),
    ];
    prop_oneof![2 => Just(Vec::new()), 1 => vec(trouble, 1..4)].prop_map(|mut troubles: Vec<Trouble>| {
        // With the short deadline of a lost request, what is seen late may be seen too late.
        if troubles.iter().any(|trouble| matches!(trouble, Trouble::RequestLost(_))) {
            troubles.retain(|trouble| !matches!(trouble, Trouble::SeenLate(_)));
        }
        troubles
    })
}
