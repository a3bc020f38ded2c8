//! The call tree of a rehearsal, recorded while it runs.

use alloy::primitives::{Address, Bytes, U256};
use revm::Inspector;
use revm::context_interface::{ContextTr, CreateScheme};
use revm::interpreter::{
    CallInputs, CallOutcome, CallScheme, CreateInputs, CreateOutcome, InstructionResult, InterpreterResult,
};

/// The most frames that are kept, and the most bytes of input and output in all: a contract can call itself with a
/// megabyte a hundred thousand times for the gas of one transaction.
const MAX_FRAMES: usize = 10_000;
const MAX_BYTES: usize = 4 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    Call,
    CallCode,
    DelegateCall,
    StaticCall,
    Create,
    Create2,
    /// All of `from`'s ether goes to `to`.
    SelfDestruct,
}

impl FrameKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::CallCode => "callcode",
            Self::DelegateCall => "delegatecall",
            Self::StaticCall => "staticcall",
            Self::Create => "create",
            Self::Create2 => "create2",
            Self::SelfDestruct => "selfdestruct",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Returned,
    /// `REVERT`, with the frame's output as its reason.
    Reverted,
    /// Out of gas, an invalid instruction, too little ether, …: the EVM's own name for it.
    Halted(String),
}

/// One call or creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// 0 for the transaction itself.
    pub depth: usize,
    pub kind: FrameKind,
    /// Whose storage and balance the calling code acts on.
    pub from: Address,
    /// Whose code runs; for a creation, the new contract. A delegatecall to it acts on `from`'s storage.
    pub to: Address,
    /// In wei; for a delegatecall, what the code sees and nobody sends.
    pub value: U256,
    /// The calldata, or the new contract's init code.
    pub input: Bytes,
    pub output: Bytes,
    pub end: End,
    pub gas_used: u64,
}

impl Frame {
    pub fn succeeded(&self) -> bool {
        self.end == End::Returned
    }
}

/// The call tree, every frame before those it calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    pub frames: Vec<Frame>,
    /// The transaction was too large to record: frames, inputs or outputs are missing at the end. The effects are not.
    pub cut: bool,
}

impl Trace {
    /// The frames that frame `parent` calls directly.
    pub fn children(&self, parent: usize) -> impl DoubleEndedIterator<Item = usize> {
        let depth = self.frames.get(parent).map_or(usize::MAX, |f| f.depth);
        let rest = self.frames.get(parent.saturating_add(1)..).unwrap_or_default();
        let end = rest.iter().position(|f| f.depth <= depth).unwrap_or(rest.len());
        let children: Vec<_> = (0..end).filter(|i| rest[*i].depth == depth.saturating_add(1)).collect();
        children.into_iter().map(move |i| parent + 1 + i)
    }
}

/// Records the tree. The bytes and frames kept are bounded; the depth is by the EVM.
#[derive(Default)]
pub(super) struct Tracer {
    pub(super) trace: Trace,
    /// The open frames, outermost first; nothing for one that was not kept.
    open: Vec<Option<usize>>,
    bytes: usize,
}

impl Tracer {
    fn keep(&mut self, bytes: &[u8]) -> Bytes {
        if self.bytes.saturating_add(bytes.len()) > MAX_BYTES {
            self.trace.cut = true;
            return Bytes::new();
        }
        self.bytes += bytes.len();
        Bytes::copy_from_slice(bytes)
    }

    /// Opens a frame. Nothing of it is kept once there are too many.
    fn start(&mut self, kind: FrameKind, from: Address, to: Address, value: U256, input: &[u8]) {
        let depth = self.open.len();
        if self.trace.frames.len() >= MAX_FRAMES {
            self.trace.cut = true;
            self.open.push(None);
            return;
        }
        let input = self.keep(input);
        self.open.push(Some(self.trace.frames.len()));
        let (output, end) = (Bytes::new(), End::Returned);
        self.trace.frames.push(Frame { depth, kind, from, to, value, input, output, end, gas_used: 0 });
    }

    fn end(&mut self, result: &InterpreterResult, created: Option<Address>) {
        let Some(index) = self.open.pop().flatten() else { return };
        let output = self.keep(&result.output);
        if let Some(frame) = self.trace.frames.get_mut(index) {
            frame.output = output;
            frame.gas_used = result.gas.total_gas_spent();
            frame.to = created.unwrap_or(frame.to);
            frame.end = match result.result {
                ok if ok.is_ok() => End::Returned,
                InstructionResult::Revert => End::Reverted,
                other => End::Halted(format!("{other:?}")),
            };
        }
    }
}

impl<C: ContextTr> Inspector<C> for Tracer {
    fn call(&mut self, context: &mut C, inputs: &mut CallInputs) -> Option<CallOutcome> {
        let (kind, from) = match inputs.scheme {
            CallScheme::Call => (FrameKind::Call, inputs.caller),
            CallScheme::StaticCall => (FrameKind::StaticCall, inputs.caller),
            CallScheme::CallCode => (FrameKind::CallCode, inputs.target_address),
            CallScheme::DelegateCall => (FrameKind::DelegateCall, inputs.target_address),
        };
        let input = inputs.input.as_bytes(context);
        self.start(kind, from, inputs.bytecode_address, inputs.call_value(), &input);
        None
    }

    fn call_end(&mut self, _: &mut C, _: &CallInputs, outcome: &mut CallOutcome) {
        self.end(&outcome.result, None);
    }

    fn create(&mut self, _: &mut C, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        let kind = match inputs.scheme() {
            CreateScheme::Create2 { .. } => FrameKind::Create2,
            _ => FrameKind::Create,
        };
        self.start(kind, inputs.caller(), Address::ZERO, inputs.value(), inputs.init_code());
        None
    }

    fn create_end(&mut self, _: &mut C, _: &CreateInputs, outcome: &mut CreateOutcome) {
        self.end(&outcome.result, outcome.address);
    }

    fn selfdestruct(&mut self, contract: Address, target: Address, value: U256) {
        self.start(FrameKind::SelfDestruct, contract, target, value, &[]);
        self.open.pop();
    }
}
