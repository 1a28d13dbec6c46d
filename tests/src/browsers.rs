//! Many sockets of one stock client, in one process.

use serde_json::{Value, json};

use crate::{Browser, Client, driver::Driver};

/// A process that holds any number of sockets.
#[derive(Debug, Clone)]
pub struct Browsers(Driver);

impl Browsers {
    /// Starts a process.
    ///
    /// # Panics
    /// If the driver is not installed.
    #[must_use]
    pub fn start(client: Client) -> Self {
        Self(Driver::start(client))
    }

    /// Opens a socket with a token; does not wait until it is connected.
    pub async fn open(&self, url: &str, token: &str) -> Browser {
        self.open_with(url, json!({ "token": token })).await
    }

    /// Opens a socket with the options of the driver's `connect` command; does not wait until it is connected.
    ///
    /// # Panics
    /// If the driver rejects the options.
    pub async fn open_with(&self, url: &str, options: Value) -> Browser {
        let id = format!("socket{}", self.0.next_number());
        let reports = self.0.reports_of(&id);
        let mut command = options;
        command["cmd"] = "connect".into();
        command["id"] = id.clone().into();
        command["url"] = url.into();
        if self.0.client() == Client::Js46 {
            command["client"] = "4.6".into();
        }
        let response = self.0.command(command).await;
        assert_eq!(response["ok"], true, "{response}");
        Browser::new(self.0.clone(), id, reports)
    }

    /// Opens a socket and waits until it is connected.
    pub async fn connect(&self, url: &str, token: &str) -> Browser {
        self.connect_with(url, json!({ "token": token })).await
    }

    /// Opens a socket with options and waits until it is connected.
    pub async fn connect_with(&self, url: &str, options: Value) -> Browser {
        let mut browser = self.open_with(url, options).await;
        browser.connected().await;
        browser
    }
}
