//! The results of a run, as a file. The report is made from it.

use std::{collections::BTreeMap, fs, path::Path};

use serde::{Deserialize, Serialize};

use crate::{error::BenchResult, stats::Spread};

/// The results of a run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Results {
    /// Names and values that describe the machine and the versions.
    #[serde(rename = "about")]
    pub(crate) machine: Vec<(String, String)>,
    /// The arguments of the command.
    pub(crate) command: String,
    pub(crate) rows: Vec<Row>,
}

/// One competitor in one scenario, measured once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) scenario: String,
    #[serde(rename = "peer")]
    pub(crate) competitor: String,
    /// Counts from 1.
    pub(crate) round: usize,
    pub(crate) figures: BTreeMap<String, f64>,
    /// A description of the faults; empty if there were none.
    pub(crate) faults: String,
}

impl Results {
    pub(crate) fn read(file: &Path) -> BenchResult<Self> {
        Ok(serde_json::from_str(&fs::read_to_string(file)?)?)
    }

    /// Writes the file, and its folder if that does not exist.
    pub(crate) fn write(&self, file: &Path) -> BenchResult<()> {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(fs::write(file, serde_json::to_string_pretty(self)?)?)
    }

    /// The spread of a figure over all rounds; `None` if it was not measured.
    pub(crate) fn spread(&self, scenario: &str, competitor: &str, figure: &str) -> Option<Spread> {
        let rows = self
            .rows
            .iter()
            .filter(|row| row.scenario == scenario && row.competitor == competitor);
        Spread::of(rows.filter_map(|row| row.figures.get(figure).copied()))
    }
}
