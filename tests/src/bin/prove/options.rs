//! What the command line says.

use std::path::PathBuf;

use crate::Prove;

/// Of each rate and skew, unless said otherwise.
const SETS: u32 = 10;

pub(crate) struct Options {
    /// Where etcd is.
    pub(crate) tools: PathBuf,
    /// An empty folder, for the volumes.
    pub(crate) work: PathBuf,
    /// How many of each rate and skew.
    pub(crate) sets: u32,
}

impl Options {
    pub(crate) fn read(mut args: impl Iterator<Item = String>) -> Prove<Self> {
        let mut folder = || args.next().map(PathBuf::from).ok_or("prove TOOLS WORK [sets=N]");
        let (tools, work) = (folder()?, folder()?);
        let sets = match args.next() {
            None => SETS,
            Some(said) => {
                let number = said.strip_prefix("sets=").and_then(|number| number.parse().ok());
                number.filter(|sets| *sets > 0).ok_or_else(|| format!("{said}: only sets=<number> is known"))?
            }
        };
        Ok(Self { tools, work, sets })
    }
}
