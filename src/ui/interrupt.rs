//! Ctrl-C as an answer while something is waited for that goes on without this process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::clock;
use crate::progress::Stop;
use signal_hook::consts::SIGINT;
use signal_hook::flag::{register, register_conditional_default};

const SLICE: Duration = Duration::from_millis(20);

/// Notes the first Ctrl-C instead of ending the process; a second one ends it, and so does any once this is dropped.
#[derive(Debug)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    pub fn watch() -> Self {
        let pressed = Arc::<AtomicBool>::default();
        // Without a handler Ctrl-C ends the process, as everywhere else. In this order: the first press is noted only.
        let _ = register_conditional_default(SIGINT, Arc::clone(&pressed));
        let _ = register(SIGINT, Arc::clone(&pressed));
        Self(pressed)
    }

    fn is_pressed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Stop for Interrupt {
    fn is_requested(&self) -> bool {
        self.is_pressed()
    }

    fn pause(&self, time: Duration) {
        let end = clock::moment() + time;
        while !self.is_pressed() {
            let left = end.saturating_duration_since(clock::moment());
            if left.is_zero() {
                break;
            }
            thread::sleep(left.min(SLICE));
        }
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
