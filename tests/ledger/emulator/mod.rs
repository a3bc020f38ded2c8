//! A strict Ledger over TCP: the Ethereum app's commands as recorded with the real one, the test mnemonic's keys, and a
//! person who does as told. Anybody's tests can use it: `Emulator::start(Behaviour::default()).url()`.

#![allow(dead_code, clippy::unwrap_used, clippy::panic)] // tests; and each test program uses its part

pub mod app;
pub mod keys;
pub mod rlp;
pub mod screens;
pub mod typed;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use app::{App, Behaviour, Signed};
use screens::Screen;

/// The faults of the wire, and the time that the person takes.
#[derive(Clone, Debug, Default)]
pub struct Wire {
    pub thinks_for: Duration,
    /// The time that the device takes for every answer.
    pub answers_after: Duration,
    /// Answers nothing until it is woken.
    pub asleep: bool,
    /// Hangs up instead of answering the command with this number, counted from one over all connections.
    pub hangs_up_at: Option<usize>,
    /// Sent before anything else to the next client: an answer to somebody else's question.
    pub stale: Option<Vec<u8>>,
}

#[derive(Default)]
struct State {
    app: App,
    wire: Wire,
    commands: Vec<Vec<u8>>,
    faults: Vec<String>,
}

/// A running emulator; it stops when dropped.
pub struct Emulator {
    state: Arc<Mutex<State>>,
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Emulator {
    pub fn start(behaviour: Behaviour) -> Self {
        Self::start_with(behaviour, Wire::default())
    }

    pub fn start_with(behaviour: Behaviour, wire: Wire) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { app: App::new(behaviour), wire, ..State::default() }));
        let stopping = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let (state, stopping) = (Arc::clone(&state), Arc::clone(&stopping));
            move || {
                while let Ok((stream, _)) = listener.accept() {
                    if stopping.load(Ordering::SeqCst) {
                        break;
                    }
                    serve(stream, &state, &stopping);
                }
            }
        });
        Self { state, address, stopping, thread: Some(thread) }
    }

    /// For `--ledger`.
    pub fn url(&self) -> String {
        format!("tcp://{}", self.address)
    }

    /// Somebody changes a setting, unlocks, opens another app.
    pub fn change(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.lock().app.behaviour);
    }

    pub fn change_wire(&self, change: impl FnOnce(&mut Wire)) {
        change(&mut self.lock().wire);
    }

    /// Every command so far.
    pub fn commands(&self) -> Vec<Vec<u8>> {
        self.lock().commands.clone()
    }

    pub fn forget_commands(&self) {
        self.lock().commands.clear();
    }

    /// The signed texts and transactions, in order.
    pub fn signed(&self) -> Vec<Signed> {
        self.lock().app.signed.clone()
    }

    /// The pages of each review of a message so far, as a Nano S Plus shows them.
    pub fn shown(&self) -> Vec<Vec<Screen>> {
        self.lock().app.shown.clone()
    }

    /// A fault of the client: a second command during a review.
    pub fn faults(&self) -> Vec<String> {
        self.lock().faults.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address)); // wakes it from waiting for a client
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>, stopping: &AtomicBool) {
    stream.set_nodelay(true).unwrap();
    let earlier = state.lock().unwrap().wire.stale.take();
    if let Some(answer) = earlier {
        let _ = stream.write_all(&frame(&answer));
    }
    while let Some(command) = read_command(&mut stream, stopping) {
        while state.lock().unwrap().wire.asleep {
            if stopping.load(Ordering::SeqCst)
                || !is_left_alone(&stream, Duration::from_millis(20), state, stopping)
            {
                return;
            }
        }
        let (answer, thinks_for) = {
            let mut state = state.lock().unwrap();
            state.commands.push(command.clone());
            if state.wire.hangs_up_at == Some(state.commands.len()) {
                return;
            }
            let answer = state.app.handle(&command);
            let thinks_for = if answer.by_person { state.wire.thinks_for } else { state.wire.answers_after };
            ([&answer.data[..], &answer.word.to_be_bytes()].concat(), thinks_for)
        };
        if !is_left_alone(&stream, thinks_for, state, stopping) {
            state.lock().unwrap().wire.stale = Some(answer); // nobody is there to take it
            return;
        }
        if stream.write_all(&frame(&answer)).is_err() {
            return;
        }
    }
}

/// The person thinks. False if the client went away meanwhile; a client that talks meanwhile is at fault.
fn is_left_alone(
    stream: &TcpStream,
    thinks_for: Duration,
    state: &Mutex<State>,
    stopping: &AtomicBool,
) -> bool {
    let until = Instant::now() + thinks_for;
    stream.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    while Instant::now() < until && !stopping.load(Ordering::SeqCst) {
        match stream.peek(&mut [0]) {
            Ok(0) => return false,
            Ok(_) => {
                state.lock().unwrap().faults.push("a second command during a review".into());
                return true;
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return false,
        }
    }
    true
}

/// Length, command. Nothing once the client is gone.
fn read_command(stream: &mut TcpStream, stopping: &AtomicBool) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    read_all(stream, &mut length, stopping)?;
    let mut command = vec![0; u32::from_be_bytes(length).try_into().ok().filter(|n| *n <= 261)?];
    read_all(stream, &mut command, stopping)?;
    Some(command)
}

fn read_all(stream: &mut TcpStream, bytes: &mut [u8], stopping: &AtomicBool) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let mut done = 0;
    while done < bytes.len() {
        match stream.read(&mut bytes[done..]) {
            Ok(0) => return None,
            Ok(n) => done += n,
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if stopping.load(Ordering::SeqCst) {
                    return None;
                }
            }
            Err(_) => return None,
        }
    }
    Some(())
}

/// The status word is not counted in the length.
fn frame(answer: &[u8]) -> Vec<u8> {
    let length = u32::try_from(answer.len() - 2).unwrap();
    [&length.to_be_bytes()[..], answer].concat()
}
