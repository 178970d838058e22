//! A node in this process: what the daemon runs beside its page, over an office's engine.

use holdfast::sync::engine::Engine;
use holdfast::sync::{listen, presence, watch as crm_watch, worker};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// A node at work. Dropping it cuts it off in the middle, as a crash does.
pub struct Node {
    /// Its name among leases.
    pub id: Uuid,
    tell: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Node {
    /// Starts one, under a name of its own.
    pub fn start(engine: &Engine) -> Self {
        let engine = Engine {
            node: Uuid::new_v4(),
            ..engine.clone()
        };
        let (tell, told) = watch::channel(false);
        let tasks = vec![
            tokio::spawn(presence::run(engine.clone(), "test".to_owned(), told.clone())),
            tokio::spawn(listen::run(engine.clone(), told.clone())),
            tokio::spawn(crm_watch::run(engine.clone(), told.clone())),
            tokio::spawn(worker::run(engine.clone(), told)),
        ];
        Self {
            id: engine.node,
            tell,
            tasks,
        }
    }

    /// Ends it in good order.
    pub async fn stop(mut self) {
        self.tell.send_replace(true);
        for task in self.tasks.drain(..) {
            task.await.unwrap();
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}
