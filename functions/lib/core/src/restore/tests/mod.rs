//! The planner against tables and properties.
