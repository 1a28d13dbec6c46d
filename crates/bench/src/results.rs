//! What a run found, as a file, from which the report is made.

use std::{collections::BTreeMap, fs, path::Path};

use serde::{Deserialize, Serialize};

use crate::{failure::Outcome, stats::Spread};

/// A whole run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Results {
    /// The machine and the versions, by name.
    pub(crate) about: Vec<(String, String)>,
    /// The command.
    pub(crate) command: String,
    /// Every measurement.
    pub(crate) rows: Vec<Row>,
}

/// One peer in one scenario, once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) scenario: String,
    pub(crate) peer: String,
    pub(crate) round: usize,
    pub(crate) figures: BTreeMap<String, f64>,
    /// What must be zero; empty: it is.
    pub(crate) faults: String,
}

impl Results {
    pub(crate) fn read(file: &Path) -> Outcome<Self> {
        Ok(serde_json::from_str(&fs::read_to_string(file)?)?)
    }

    pub(crate) fn write(&self, file: &Path) -> Outcome<()> {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(fs::write(file, serde_json::to_string_pretty(self)?)?)
    }

    /// A figure over all rounds.
    pub(crate) fn spread(&self, scenario: &str, peer: &str, figure: &str) -> Option<Spread> {
        let rows = self
            .rows
            .iter()
            .filter(|row| row.scenario == scenario && row.peer == peer);
        Spread::of(rows.filter_map(|row| row.figures.get(figure).copied()))
    }
}
