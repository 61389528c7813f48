//! A restore, decided: from what was observed, the request and `now` to a plan; between its steps, whether the next may
//! be taken; and from what became of it to the answer. Undo is its mirror.

mod accept;
mod acceptance;
mod after_restore;
mod apply_event;
mod check;
mod event;
mod filters;
mod forecast;
mod hazards;
mod id;
mod identify;
mod latest;
mod list;
mod masters;
mod new_volume;
mod next_steps;
mod parking;
mod plan;
mod planner;
mod point;
mod progress;
mod refusal;
mod report;
mod report_undo;
mod request;
mod result;
mod settings;
mod source;
mod stages;
mod steps;
#[cfg(test)]
mod tests;
mod under_way;
mod undo;
mod undo_steps;
mod verify_event;

pub use acceptance::{Acceptance, Expected, acceptance};
pub use check::{Made, Reached, Standing};
pub use event::{Event, Mode};
pub use id::{InvalidRestoreId, RestoreId};
pub use list::{ListResult, ListedMember, ListedPoint, list};
pub use new_volume::NewVolume;
pub use parking::TagChange;
pub use plan::{EmptiedPlan, Master, MemberPlan, MemberState, Observed, RestorePlan, Settings};
pub use planner::plan;
pub use refusal::{Refusal, RefusalKind};
pub use report::{Done, report_applied, report_interrupted, report_plan};
pub use report_undo::report_undo;
pub use request::{Allow, Apply, At, Described, Overrides, Request, RestoreRequest, UndoRequest, What};
pub use result::{MemberReport, Outcome, RestoreResult, StepName, StepReport, StepState};
pub use settings::VolumeSettings;
pub use source::subject;
pub(crate) use source::unready;
pub use under_way::{UnderWay, under_way};
pub use undo::{UndoMember, UndoPlan, plan_undo};
