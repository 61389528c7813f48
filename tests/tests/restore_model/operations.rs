//! What may happen: the operations, and how sequences of them are made up.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any};
use proptest::prop_oneof;

/// A cluster, with two points of the past.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    /// Where the members of each point stand, newest first.
    pub(super) points: [Positions; 2],
    /// The members that have lost their volumes since.
    pub(super) lost: Vec<u8>,
    /// A member that a second volume claims.
    pub(super) twin: Option<u8>,
    /// Whether the volumes bear labels.
    pub(super) labels: bool,
    pub(super) pages_of: Option<u32>,
}

/// Where the members of a point stand in raft's log.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Positions {
    AnyOrder,
    /// c and a must be healthy before b starts.
    InStages,
    /// Nobody has read it.
    Unknown,
}

/// One operation. A `u8` chooses among what there is, round and round; among restores 0 is the newest.
#[derive(Clone, Debug)]
pub(super) enum Op {
    Plan(What),
    /// A plan, and its apply.
    Restore(What, Trouble),
    /// The apply of a plan, for the first time or again.
    Apply(u8, Trouble),
    /// The second stage.
    Then {
        which: u8,
        allow_unattached: bool,
        trouble: Trouble,
    },
    Undo(u8, Trouble),
    /// Two deliveries at once: of one event, or of two restores' applies.
    AtOnce(u8, u8),
    /// Masters hold the tagged volumes of a restore: for more than a minute, or since now.
    Start {
        which: u8,
        long_ago: bool,
    },
    /// No master runs.
    Stop,
    /// A blank volume gets a member's tags, as kops or a person would do it.
    Claim(u8),
    /// Those volumes are deleted.
    Unclaim,
    /// A member's volume is deleted.
    Lose(u8),
    /// The verdict of one snapshot of a point changes.
    Judge(u8, u8, Found),
}

/// What is to be restored.
#[derive(Clone, Debug)]
pub(super) struct What {
    /// `latest`, the newest, the one before.
    pub(super) point: u8,
    pub(super) members: Members,
    pub(super) replace: bool,
    pub(super) allow_attached: bool,
    pub(super) allow_unordered: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Members {
    All,
    /// This one alone, though the others live.
    One(u8),
    /// All but this one, which joins empty.
    AllBut(u8),
    /// All, as nobody's volumes.
    ForInspection,
}

/// What `verify` finds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Found {
    AsAtFirst,
    Corrupt,
    Unsupported,
}

/// What goes wrong under one delivery. Calls are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Trouble {
    None,
    /// It is killed at this call, before EC2 does it or after.
    Dies {
        call: u8,
        after: bool,
    },
    /// EC2 refuses so many calls from this one on.
    Refused {
        call: u8,
        times: u8,
    },
    Throttled(u8),
    AnswerLost(u8),
    /// While this call is on its way, another volume gets this member's tags.
    Claimed {
        call: u8,
        member: u8,
    },
    /// While this call is on its way, a master takes a volume of the restore.
    Attached {
        call: u8,
        which: u8,
    },
    /// EC2 takes its time to make the volumes.
    Slow,
    /// One of them fails.
    Fails(u8),
}

impl Op {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Plan(_) => "plan",
            Self::Restore(..) => "plan and apply",
            Self::Apply(..) => "apply again",
            Self::Then { .. } => "then",
            Self::Undo(..) => "undo",
            Self::AtOnce(..) => "two at once",
            Self::Start { .. } => "masters start",
            Self::Stop => "masters stop",
            Self::Claim(_) => "another claims",
            Self::Unclaim => "the others are gone",
            Self::Lose(_) => "a volume is lost",
            Self::Judge(..) => "a verdict changes",
        }
    }
}

impl Trouble {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::None => "no trouble",
            Self::Dies { .. } => "dies",
            Self::Refused { .. } => "calls refused",
            Self::Throttled(_) => "throttled",
            Self::AnswerLost(_) => "an answer is lost",
            Self::Claimed { .. } => "another claims meanwhile",
            Self::Attached { .. } => "attached meanwhile",
            Self::Slow => "slow volumes",
            Self::Fails(_) => "a volume fails",
        }
    }
}

pub(super) fn setups() -> impl Strategy<Value = Setup> {
    let positions = || {
        prop_oneof![
            2 => Just(Positions::AnyOrder),
            3 => Just(Positions::InStages),
            1 => Just(Positions::Unknown),
        ]
    };
    let lost = prop_oneof![3 => Just(Vec::new()), 2 => vec(0..3_u8, 1..4)];
    let pages = prop_oneof![4 => Just(None), 1 => (2..6_u32).prop_map(Some)];
    ([positions(), positions()], lost, option::weighted(0.15, 0..3_u8), any::<bool>(), pages)
        .prop_map(|(points, lost, twin, labels, pages_of)| Setup { points, lost, twin, labels, pages_of })
}

pub(super) fn operations() -> impl Strategy<Value = Vec<Op>> {
    vec(operation(), 1..12)
}

fn operation() -> impl Strategy<Value = Op> {
    let restore = || prop_oneof![5 => Just(0_u8), 1 => any::<u8>()];
    let found = prop_oneof![Just(Found::AsAtFirst), Just(Found::Corrupt), Just(Found::Unsupported)];
    let deliveries = prop_oneof![
        2 => what().prop_map(Op::Plan),
        7 => (what(), trouble()).prop_map(|(what, trouble)| Op::Restore(what, trouble)),
        5 => (restore(), trouble()).prop_map(|(which, trouble)| Op::Apply(which, trouble)),
        5 => (restore(), any::<bool>(), trouble())
            .prop_map(|(which, allow_unattached, trouble)| Op::Then { which, allow_unattached, trouble }),
        5 => (restore(), trouble()).prop_map(|(which, trouble)| Op::Undo(which, trouble)),
        2 => (restore(), 0..3_u8).prop_map(|(one, other)| Op::AtOnce(one, other)),
    ];
    let others = prop_oneof![
        4 => (restore(), any::<bool>()).prop_map(|(which, long_ago)| Op::Start { which, long_ago }),
        3 => Just(Op::Stop),
        2 => any::<u8>().prop_map(Op::Claim),
        2 => Just(Op::Unclaim),
        1 => any::<u8>().prop_map(Op::Lose),
        2 => (0..2_u8, 0..3_u8, found).prop_map(|(point, member, found)| Op::Judge(point, member, found)),
    ];
    prop_oneof![3 => deliveries, 1 => others]
}

fn what() -> impl Strategy<Value = What> {
    let members = prop_oneof![
        8 => Just(Members::All),
        2 => (0..3_u8).prop_map(Members::One),
        2 => (0..3_u8).prop_map(Members::AllBut),
        1 => Just(Members::ForInspection),
    ];
    let mostly = || prop_oneof![9 => Just(true), 1 => Just(false)];
    let seldom = || prop_oneof![1 => Just(true), 4 => Just(false)];
    (0..3_u8, members, mostly(), seldom(), seldom()).prop_map(
        |(point, members, replace, allow_attached, allow_unordered)| What {
            point,
            members,
            replace,
            allow_attached,
            allow_unordered,
        },
    )
}

fn trouble() -> impl Strategy<Value = Trouble> {
    let call = || 1..40_u8;
    prop_oneof![
        8 => Just(Trouble::None),
        5 => (call(), any::<bool>()).prop_map(|(call, after)| Trouble::Dies { call, after }),
        2 => (call(), 1..6_u8).prop_map(|(call, times)| Trouble::Refused { call, times }),
        1 => call().prop_map(Trouble::Throttled),
        1 => call().prop_map(Trouble::AnswerLost),
        2 => (call(), 0..3_u8).prop_map(|(call, member)| Trouble::Claimed { call, member }),
        1 => (call(), 0..3_u8).prop_map(|(call, which)| Trouble::Attached { call, which }),
        1 => Just(Trouble::Slow),
        1 => (0..3_u8).prop_map(Trouble::Fails),
    ]
}
