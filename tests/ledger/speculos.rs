//! The real Ethereum app in Ledger's own emulator, and a person who compares every page before pressing on. Opt-in:
//! `make speculos` installs what it needs.

use std::cell::RefCell;
use std::env;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use alloy::consensus::TxEnvelope;
use alloy::network::eip2718::Decodable2718;
use alloy::primitives::{Address, Bytes, U256, address};
use breakglass::device::{
    AppSettings, DerivationPath, DeviceError, Ledger, LedgerLocation, Model, Page, Pages, SearchPaths,
    SigningMode, SigningRequest, Signs, Status, Waiting, address_pages, safe_tx_pages, transaction_pages,
};
use breakglass::safe::{Domain, Nonce, Operation, SafeId, SafeTx, SafeVersion, SignatureKind};
use serde_json::{Value, json};

use crate::faults::exec;
use crate::http::request;

const OWNER: Address = address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
const MNEMONIC: &str = "test test test test test test test test test test test junk";
const DOMAIN: Domain = Domain::real(SAFE);
const SAFE: SafeId = SafeId {
    chain_id: 1,
    address: address!("1c511D88ba898b4D9cd9113D13B9c360a02Fcea1"),
    version: SafeVersion::V1_4_1,
};
/// The emulator starts, turns a page or answers within this.
const SOON: Duration = Duration::from_secs(20);
/// The time that a finger rests: for a tap, and to sign.
const TAP: Duration = Duration::from_millis(100);
const HOLD: Duration = Duration::from_secs(4);

/// A running emulator; it stops when dropped.
struct Speculos {
    process: Child,
    model: Model,
    apdu: u16,
    buttons: u16,
}

enum Answer {
    Approve,
    Reject,
}

fn setting(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `make speculos`"))
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Speculos {
    fn start() -> Self {
        let program = setting("SPECULOS");
        let app = setting("SPECULOS_FILE");
        let model = setting("SPECULOS_MODEL");
        let (apdu, buttons) = (free_port(), free_port());
        let mut command = Command::new(program);
        command.args(["--model", &model, "--display", "headless", "--seed", MNEMONIC]);
        if let Ok(sdk) = env::var("SPECULOS_SDK") {
            command.args(["--sdk", &sdk]);
        }
        let ports = [apdu, buttons].map(|port| port.to_string());
        command.args(["--apdu-port", &ports[0], "--api-port", &ports[1], &app]);
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let device = Self { process, model: model.parse().unwrap(), apdu, buttons };
        device.wait_for("a first page", |lines| !lines.is_empty());
        device
    }

    /// With what was waited for, in sentences.
    fn open(&self) -> (Ledger, Rc<RefCell<Vec<String>>>) {
        let told = Rc::new(RefCell::new(Vec::new()));
        let watcher = Box::new({
            let told = Rc::clone(&told);
            move |waiting: &Waiting<'_>| {
                if let Waiting::ToBeReady { why, .. } = waiting {
                    told.borrow_mut().push(why.to_string());
                }
            }
        });
        let target =
            LedgerLocation::Tcp { address: format!("127.0.0.1:{}", self.apdu), model: Some(self.model) };
        (Ledger::open(target, Duration::from_mins(1), watcher).unwrap(), told)
    }

    /// Returns the text on the screen now; an empty one before the first page.
    fn events(&self) -> Vec<Value> {
        let Ok(body) = request(self.buttons, "GET /events?currentscreenonly=true", b"") else {
            return Vec::new();
        };
        let Ok(page) = serde_json::from_slice::<Value>(&body) else { return Vec::new() };
        page["events"].as_array().cloned().unwrap_or_default()
    }

    /// Its lines. The emulator's font loses a first letter here and there.
    fn lines(&self) -> Vec<String> {
        let line = |event: &Value| match event["text"].as_str().unwrap_or_default().trim_end() {
            "ign" => "Sign".to_string(),
            other => other.to_string(),
        };
        self.events().iter().map(line).collect()
    }

    /// A finger on the middle of this text, for so long.
    fn touch(&self, text: &str, time: Duration) {
        self.wait_for(text, |lines| lines.iter().any(|line| line == text));
        let events = self.events();
        let at = events.iter().find(|event| event["text"] == text).unwrap();
        let middle = |from: &str, size: &str| at[from].as_i64().unwrap() + at[size].as_i64().unwrap() / 2;
        self.finger(&json!({ "x": middle("x", "w"), "y": middle("y", "h"), "delay": time.as_secs_f64() }));
    }

    fn finger(&self, touch: &Value) {
        let mut touch = touch.clone();
        touch["action"] = json!("press-and-release");
        request(self.buttons, "POST /finger", touch.to_string().as_bytes()).unwrap();
    }

    fn press(&self, button: &str) {
        let what = format!("POST /button/{button}");
        request(self.buttons, &what, br#"{"action": "press-and-release"}"#).unwrap();
    }

    fn wait_for(&self, what: &str, is_it: impl Fn(&[String]) -> bool) {
        let until = Instant::now() + SOON;
        while !is_it(&self.lines()) {
            assert!(Instant::now() < until, "the device shows {:?} and not {what}", self.lines());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Presses right until a page has a line that begins like one of these.
    fn turn_to(&self, texts: &[&str]) {
        for _ in 0..60 {
            let lines = self.lines();
            if lines.iter().any(|line| texts.iter().any(|text| line.starts_with(text))) {
                return;
            }
            self.press("right");
            let until = Instant::now() + Duration::from_millis(500);
            while self.lines() == lines && Instant::now() < until {
                thread::sleep(Duration::from_millis(20));
            }
        }
        panic!("no page with any of {texts:?}; the last one is {:?}", self.lines());
    }

    /// The person in the app's menu. A program that waits for the setting goes on at once, over the menu.
    fn switch(&self, setting: &str) {
        self.turn_to(&["App settings", "Settings"]);
        self.press("both");
        self.turn_to(&[setting]);
        let before = self.lines();
        self.press("both");
        self.wait_for("the setting changed", |lines| lines != before);
    }

    fn leave_menu(&self) {
        self.turn_to(&["Back"]);
        self.press("both");
        self.wait_for("the menu left", |lines| !lines.iter().any(|line| line == "Back"));
    }

    /// The person at a large screen, as at a small one.
    fn compare_by_touch(&self, pages: &[Page], answer: &Answer) {
        let (last, before) = pages.split_last().unwrap();
        for page in before {
            self.shows(page);
            if page.entries[0].title == "Blind signing ahead" {
                self.touch("Accept risk and continue", TAP);
            } else {
                self.finger(&json!({ "x": 200, "y": 250, "x2": 150, "y2": 250, "delay": TAP.as_secs_f64() }));
            }
        }
        self.shows(last);
        match answer {
            Answer::Approve => self.touch("Hold to sign", HOLD),
            Answer::Reject => {
                self.touch("Reject", TAP);
                self.touch("Yes, reject", TAP);
            }
        }
    }

    fn shows(&self, page: &Page) {
        let expected: Vec<String> = page.texts().into_iter().map(String::from).collect();
        self.wait_for(&format!("{expected:?}"), |lines| lines == expected);
    }

    /// The person at the review: every page is the predicted one before the next is asked for.
    fn compare(&self, pages: &[Page], answer: &Answer) {
        if self.model.is_large() {
            return self.compare_by_touch(pages, answer);
        }
        let (last, before) = pages.split_last().unwrap();
        for page in before {
            self.shows(page);
            self.press(if page.entries[0].title == "Blind signing ahead" { "both" } else { "right" });
        }
        self.shows(last);
        if matches!(answer, Answer::Reject) {
            self.turn_to(&["Reject", "Cancel"]);
        }
        self.press("both");
    }

    /// Runs what the program does while the person compares.
    fn reviewing<T>(&self, pages: &Pages, answer: Answer, work: impl FnOnce() -> T) -> T {
        thread::scope(|scope| {
            let person = scope.spawn(move || self.compare(&pages.all, &answer));
            let done = work();
            person.join().unwrap();
            done
        })
    }
}

impl Drop for Speculos {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A fresh emulator has every other setting off.
fn settings(status: &Status, raw_messages: bool) -> AppSettings {
    AppSettings { blind_signing: status.blind_signing, raw_messages, ..AppSettings::default() }
}

fn pause() -> SafeTx {
    let data = Bytes::from_static(&[0x84, 0x56, 0xcb, 0x59]);
    SafeTx::new(OWNER, U256::ZERO, data, Operation::Call, Nonce::from(42))
}

fn request_for(tx: &SafeTx, kind: SignatureKind, way: SigningMode) -> SigningRequest<'_> {
    SigningRequest { domain: &DOMAIN, signs: Signs::Tx(tx), owner: OWNER, kind, way }
}

#[test]
#[ignore = "needs Ledger's emulator and an app: make speculos"]
fn the_real_app_tells_its_address() {
    let device = Speculos::start();
    let (mut ledger, _) = device.open();
    let path = DerivationPath::default();
    assert_eq!(ledger.find(&SearchPaths::default(), &[OWNER]).unwrap()[0].path, path);
    if device.model.is_large() {
        return; // its pages for an address were not recorded
    }
    let pages = address_pages(ledger.status(), OWNER);
    let shown = device.reviewing(&pages, Answer::Approve, || ledger.show_address(&path));
    assert_eq!(shown.unwrap(), OWNER);
    let shown = device.reviewing(&pages, Answer::Reject, || ledger.show_address(&path));
    assert!(matches!(shown, Err(DeviceError::Rejected)), "{shown:?}");
}

/// If blind signing is off and needed, the person turns it on while the program waits.
#[test]
#[ignore = "needs Ledger's emulator and an app: make speculos"]
fn the_real_app_signs_hashes_and_messages_and_takes_no_for_an_answer() {
    let device = Speculos::start();
    let (mut ledger, _) = device.open();
    // Nobody here knows the way to the settings of a large screen: there the message is signed that needs none.
    let kinds = if device.model.is_large() {
        vec![SignatureKind::EthSign]
    } else {
        vec![SignatureKind::Ecdsa, SignatureKind::EthSign]
    };
    if ledger.status().takes_fields && !device.model.is_large() {
        device.switch("Blind signing");
        device.leave_menu();
        ledger = device.open().0;
    }
    let (tx, way) = (pause(), SigningMode::Hashes);
    for kind in kinds {
        let request = request_for(&tx, kind, way);
        let pages = safe_tx_pages(ledger.status(), settings(ledger.status(), false), &request);
        let made = device.reviewing(&pages, Answer::Reject, || ledger.sign_safe_tx(&request));
        assert!(matches!(made, Err(DeviceError::Rejected)), "{made:?}");
        let made = device.reviewing(&pages, Answer::Approve, || ledger.sign_safe_tx(&request));
        assert_eq!(made.unwrap().signer(), OWNER);
    }
}

#[test]
#[ignore = "needs Ledger's emulator and an app: make speculos"]
fn the_real_app_pays_for_the_gas_once_blind_signing_is_on() {
    let device = Speculos::start();
    if device.model.is_large() {
        return; // it needs a setting
    }
    let (mut ledger, told) = device.open();
    let tx = exec();
    let status = breakglass::device::Status { blind_signing: true, ..*ledger.status() };
    let pages = transaction_pages(&status, settings(&status, false), OWNER, &tx);
    let raw = thread::scope(|scope| {
        scope.spawn(|| {
            device.switch("Blind signing");
            device.compare(&pages.all, &Answer::Approve);
        });
        assert!(ledger.await_blind_signing().unwrap());
        ledger.sign_transaction(&tx, OWNER).unwrap()
    });
    assert!(told.borrow()[0].contains("\"Blind signing\" is off"), "{told:?}");
    let TxEnvelope::Eip1559(signed) = TxEnvelope::decode_2718_exact(&raw).unwrap() else { panic!("{raw:?}") };
    assert_eq!((signed.recover_signer().unwrap(), signed.tx()), (OWNER, &tx));
    let rejected = device.reviewing(&pages, Answer::Reject, || ledger.sign_transaction(&tx, OWNER));
    assert!(matches!(rejected, Err(DeviceError::Rejected)), "{rejected:?}");
}

/// The whole flow, where the app has it: an older one must be told as such, and asked for nothing.
#[test]
#[ignore = "needs Ledger's emulator and an app: make speculos"]
fn the_real_app_takes_every_field_or_is_reported_as_too_old() {
    let device = Speculos::start();
    let (mut ledger, _) = device.open();
    let tx = pause();
    let request = request_for(&tx, SignatureKind::Ecdsa, SigningMode::Fields);
    if !ledger.status().takes_fields {
        let made = ledger.sign_safe_tx(&request);
        assert!(matches!(made, Err(DeviceError::AppTooOld(_))), "{made:?}");
        return;
    }
    let made = ledger.sign_safe_tx(&request);
    assert!(matches!(made, Err(DeviceError::RawMessagesOff)), "{made:?}");
    if device.model.is_large() {
        return; // it needs a setting
    }
    device.wait_for("what is missing", |lines| lines.iter().any(|line| line.contains("must be")));
    device.press("both");
    device.switch("Raw messages");
    device.leave_menu();
    let pages = safe_tx_pages(ledger.status(), settings(ledger.status(), true), &request);
    let made = device.reviewing(&pages, Answer::Reject, || ledger.sign_safe_tx(&request));
    assert!(matches!(made, Err(DeviceError::Rejected)), "{made:?}");
    let made = device.reviewing(&pages, Answer::Approve, || ledger.sign_safe_tx(&request));
    assert_eq!(made.unwrap().signer(), OWNER);
}
