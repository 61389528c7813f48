//! The edge to AWS, and nothing else: EC2 in the project's own types, events, metrics, configuration from the
//! environment, errors as Lambda reports them. It decides nothing.

pub mod clients;
pub mod config;
pub mod ebs;
pub mod ec2;
pub mod event;
pub mod events;
pub mod failure;
pub mod fit;
pub mod function;
pub mod lambda;
pub mod metrics;
pub mod s3;
