//! Runs work on several Safes, levers or chains side by side, in the rounds of one.

use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::error::{Error, Exit};
use crate::progress::Progress;

/// The most that run at once: each uses a connection and a processor.
const AT_ONCE: usize = 32;

/// Runs the work for each of several Safes at once, and reports it if there are several.
pub fn side_by_side<T: Send, R: Send>(
    progress: &dyn Progress,
    all: Vec<T>,
    work: impl Fn(T) -> Result<R, Error> + Sync,
) -> Vec<Result<R, Error>> {
    match all.len() {
        0 | 1 => at_once(all, work),
        several => progress.wait(&format!("reading {several} Safes"), || at_once(all, work)),
    }
}

/// Runs the work for each of several at once, and returns the results in their order. One that fails or waits does not
/// stop the others.
pub fn at_once<T: Send, R: Send>(
    all: Vec<T>,
    work: impl Fn(T) -> Result<R, Error> + Sync,
) -> Vec<Result<R, Error>> {
    if all.len() < 2 {
        return all.into_iter().map(work).collect();
    }
    let workers = all.len().min(AT_ONCE);
    let mut results: Vec<Result<R, Error>> = all.iter().map(|_| Err(ended_early())).collect();
    let queue = Mutex::new(all.into_iter().zip(results.iter_mut()));
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    thread::scope(|scope| {
        let worker = || {
            while let Some((one, place)) = next() {
                *place = work(one);
            }
        };
        let running: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        // The place of one that panicked keeps its error.
        for one in running {
            drop(one.join());
        }
    });
    results
}

/// Returns the error of a part whose thread panicked.
fn ended_early() -> Error {
    Error::new(Exit::Failed, "this part ended early: a fault of this program")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_order_and_an_error_does_not_stop_the_others() {
        let odd_fails = |n: usize| if n % 2 == 1 { Err(Error::new(Exit::Network, "odd")) } else { Ok(n) };
        let done = at_once((0..100).collect(), odd_fails);
        assert_eq!(done.len(), 100);
        for (n, result) in done.into_iter().enumerate() {
            assert_eq!(result.ok(), (n % 2 == 0).then_some(n));
        }
        assert_eq!(at_once(vec![2], odd_fails).len(), 1);
    }

    #[test]
    fn a_part_that_panics_is_an_error_in_its_place() {
        let done = at_once(vec![1, 2, 3], |n| if n == 2 { panic!("on purpose") } else { Ok(n) });
        let told: Vec<String> =
            done.into_iter().map(|one| one.map_or_else(|e| e.message, |n| n.to_string())).collect();
        assert_eq!(told, ["1", "this part ended early: a fault of this program", "3"]);
    }
}
