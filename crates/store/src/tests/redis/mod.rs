//! Tests of what only the store in Redis does: access rights, clusters, expiry, faults and failovers.

mod acl;
mod cluster;
mod concurrency;
mod expiry;
mod faults;
mod replicas;
mod sentinel;
mod topologies;

use roomcast_core::{Offset, UserId};

use super::{contract::room, support::within_patience};
use crate::{Store, Subscription, SubscriptionSignal};

/// Waits until the subscription to the user's room works: an entry that is appended from then on is notified. After
/// each `Subscribed` an entry is appended, because the one before may have preceded the subscription.
async fn until_notified(store: &dyn Store, subscription: &mut Box<dyn Subscription>, user: &UserId) {
    let name = room(&format!("user:{user}"));
    let append = async || -> Offset {
        let appended = store.disconnect_user(user, "").await.unwrap();
        appended.position.offset
    };
    within_patience("a notification", async {
        let mut last = append().await;
        loop {
            match subscription.next().await {
                SubscriptionSignal::Notification(room, entry)
                    if room == name && entry.position.offset == last =>
                {
                    return;
                }
                SubscriptionSignal::Subscribed(room) if room == name => last = append().await,
                SubscriptionSignal::Notification(..)
                | SubscriptionSignal::Subscribed(_)
                | SubscriptionSignal::Lost => {}
            }
        }
    })
    .await;
}
