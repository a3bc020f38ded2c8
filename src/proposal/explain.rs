//! The reason why a signature fits nothing, as far as it can be told: by the reader's own transactions around, which is
//! a fact, or else by what its line claims, which explains and never counts.

use alloy::primitives::Address;

use super::{Claims, Proposal, Pulled, SafeOwners, ShortDigest, Stated};
use crate::council::Pull;
use crate::safe::{EcdsaSignature, Nonce, Purpose, SafeTxHash, SafeVersion};

/// A transaction of the reader's own that a signature may be for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub hash: SafeTxHash,
    pub pulled: Pulled,
    pub nonce: Nonce,
    /// The arguments that the council file leaves open.
    pub args: Vec<(String, String)>,
    pub version: SafeVersion,
    pub purpose: Purpose,
}

impl Candidate {
    /// A proposal as it would be with this nonce.
    pub fn of(proposal: &Proposal, nonce: Nonce, args: Vec<(String, String)>) -> Self {
        Self {
            hash: proposal.at_nonce(nonce),
            pulled: proposal.binding().pulled(),
            nonce,
            args,
            version: proposal.safe().version,
            purpose: proposal.purpose(),
        }
    }

    /// `freeze`, `the undo of freeze`
    fn title(&self) -> String {
        title(&self.pulled)
    }
}

/// The reader's own values, against which a signature is held.
#[derive(Clone, Debug)]
pub struct ExplainContext<'r> {
    /// The transaction that is wanted.
    pub wanted: Candidate,
    /// The Safes by whose own transactions the wanted one approves its levers'; empty where it is theirs.
    pub approve_as: &'r [String],
    /// Those around it, by the reader's own files.
    pub around: &'r [Candidate],
    /// Whose signatures count.
    pub owners: &'r SafeOwners,
    /// The Safes of the council file, by chain and address.
    pub safes: &'r [(u64, Address)],
    /// The levers of the council file.
    pub levers: &'r [&'r str],
    pub council: ShortDigest,
    /// Digests of the playbooks of the wanted transaction.
    pub playbooks: &'r [ShortDigest],
}

/// The signer, and the transaction that they signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// By the signature itself over that hash; `None` if no key made it.
    pub signer: Option<Address>,
    pub signed_for: SignedFor,
}

/// The transaction that was signed in the place of the wanted one.
#[derive(Clone, Debug, PartialEq, Eq, derive_more::Display)]
pub enum SignedFor {
    /// The wanted levers at another nonce: by the reader's own files.
    #[display("signed {title} at nonce {nonce}, not at nonce {wanted}")]
    OtherNonce { title: String, nonce: Nonce, wanted: Nonce },
    /// Other levers than those that are wanted: by the reader's own files.
    #[display("signed {title} at nonce {nonce}, not {wanted}")]
    OtherLevers { title: String, nonce: Nonce, wanted: String },
    /// A drill where something real is wanted, or the reverse: by the reader's own files.
    #[display("signed {}", of_other_purpose(*purpose, title, *nonce))]
    Purpose { purpose: Purpose, title: String, nonce: Nonce },
    /// The wanted levers with other arguments; `is_claim` if only its line says so.
    #[display(
        "signed {} with {}, you have {}{}",
        quoted(title),
        listed(theirs),
        listed(own),
        if *is_claim { ", as the line says" } else { "" }
    )]
    Arguments { title: String, theirs: Vec<(String, String)>, own: Vec<(String, String)>, is_claim: bool },
    /// By its line: for a Safe that the reader's council file does not have.
    #[display(
        "signed for Safe {safe} on chain {chain_id}, as the line says, and your council file does not have it"
    )]
    Safe { chain_id: u64, safe: Address },
    /// By its line: from another council file. The likeliest cause of all.
    #[display(
        "signed from council file {theirs}, yours is {own}: pull, and compare with the person who keeps it"
    )]
    Council { theirs: ShortDigest, own: ShortDigest },
    /// By its line: a lever that the reader's council file does not have.
    #[display("signed {}, as the line says, and your council file does not have it: pull", quoted(title))]
    Lever { title: String },
    /// By its line: the approval of the levers' transaction by these Safes, which is a transaction of the last of them. None: the
    /// levers' transaction itself.
    #[display("signed {}, as the line says: import it {}", quoted(title), approval_flags(approve_as))]
    Approval { title: String, approve_as: Vec<String> },
    /// By its line: with another text of the playbook.
    #[display("signed {} with another text of its playbook, {theirs}, as the line says: pull", quoted(title))]
    Playbook { title: String, theirs: ShortDigest },
    /// By its line: another lever or nonce, and the reader's own files give another transaction for it.
    #[display(
        "signed a transaction that is none of yours; the line{} says {}{}",
        program.as_ref().map(|p| format!(" of breakglass {}", quoted(p))).unwrap_or_default(),
        quoted(title),
        nonce.map(|nonce| format!(" at nonce {nonce}")).unwrap_or_default()
    )]
    Claimed { title: String, nonce: Option<Nonce>, program: Option<String> },
    /// Another transaction than any of the reader's.
    #[display(
        "signed a transaction that is none of yours{}",
        hash.map(|hash| format!(", {hash}")).unwrap_or_default()
    )]
    Unknown { hash: Option<SafeTxHash> },
}

/// Explains a signature that is not an owner's signature of what is wanted.
pub fn explain(stated: &Stated, own: &ExplainContext) -> Explanation {
    let by_hash = |c: &&Candidate| stated.hash == Some(c.hash);
    let signer_of =
        |hash, version| EcdsaSignature::readings(&stated.bytes, &hash, version).unwrap_or_default();
    let owner_of = |c: &Candidate| {
        let readings = signer_of(c.hash, c.version);
        readings.iter().map(EcdsaSignature::signer).find(|signer| own.owners.contains(*signer))
    };
    // A hash is only what it says; whose signature it is decides.
    let stated_first = own.around.iter().filter(by_hash).chain(own.around.iter().filter(|c| !by_hash(c)));
    let found = stated_first.map(|c| (c, owner_of(c))).find(|(_, owner)| owner.is_some());
    if let Some((candidate, signer)) = found {
        return Explanation { signer, signed_for: of_candidate(candidate, &own.wanted) };
    }
    let signer = stated.hash.and_then(|hash| {
        let readings = signer_of(hash, own.wanted.version);
        let owner = readings.iter().find(|reading| own.owners.contains(reading.signer()));
        owner.or_else(|| readings.first()).map(EcdsaSignature::signer)
    });
    let unknown = || SignedFor::Unknown { hash: stated.hash };
    let signed_for = stated.claims.as_ref().and_then(|claims| of_claims(claims, own)).unwrap_or_else(unknown);
    Explanation { signer, signed_for }
}

fn of_candidate(candidate: &Candidate, wanted: &Candidate) -> SignedFor {
    let (title, nonce) = (candidate.title(), candidate.nonce);
    if candidate.purpose != wanted.purpose {
        return SignedFor::Purpose { purpose: candidate.purpose, title, nonce };
    }
    if candidate.pulled != wanted.pulled {
        return SignedFor::OtherLevers { title, nonce, wanted: wanted.title() };
    }
    if nonce == wanted.nonce && candidate.args != wanted.args {
        let (theirs, own) = differing(&candidate.args, &wanted.args);
        return SignedFor::Arguments { title, theirs, own, is_claim: false };
    }
    SignedFor::OtherNonce { title, nonce, wanted: wanted.nonce }
}

/// `None` if they claim nothing that explains it.
fn of_claims(claims: &Claims, own: &ExplainContext) -> Option<SignedFor> {
    let claimed = claimed(claims)?;
    let title = title(&claimed);
    if let (Some(chain_id), Some(safe)) = (claims.chain_id, claims.safe)
        && !own.safes.contains(&(chain_id, safe))
    {
        return Some(SignedFor::Safe { chain_id, safe });
    }
    if let Some(theirs) = claims.council.filter(|theirs| *theirs != own.council) {
        return Some(SignedFor::Council { theirs, own: own.council });
    }
    if claims.levers.iter().chain(&claims.without).any(|lever| !own.levers.contains(&lever.as_str())) {
        return Some(SignedFor::Lever { title });
    }
    if claims.approve_as != own.approve_as {
        return Some(SignedFor::Approval { title, approve_as: claims.approve_as.clone() });
    }
    if claimed == own.wanted.pulled && claims.nonce == Some(own.wanted.nonce) {
        let (theirs, mine) = differing(&claims.args, &own.wanted.args);
        if !(claims.is_cut || theirs.is_empty() && mine.is_empty()) {
            return Some(SignedFor::Arguments { title, theirs, own: mine, is_claim: true });
        }
        if let Some(theirs) = claims.playbooks.iter().find(|digest| !own.playbooks.contains(digest)) {
            return Some(SignedFor::Playbook { title, theirs: *theirs });
        }
    }
    Some(SignedFor::Claimed { title, nonce: claims.nonce, program: claims.program.clone() })
}

/// `None` if no lever is claimed.
fn claimed(claims: &Claims) -> Option<Pulled> {
    let (names, without) = (claims.levers.clone(), claims.without.clone());
    let pull = Pull { names, without, undo: claims.undo, approve_as: claims.approve_as.clone() };
    (!pull.names.is_empty()).then(|| Pulled { pull, playbooks: Vec::new() })
}

fn title(pulled: &Pulled) -> String {
    let title = pulled.title();
    if pulled.pull.undo { format!("the undo of {title}") } else { title }
}

/// The arguments of either that the other does not have.
fn differing<'a>(theirs: &'a [(String, String)], own: &'a [(String, String)]) -> (Arguments, Arguments) {
    let only = |list: &[(String, String)], other: &[(String, String)]| {
        list.iter().filter(|arg| !other.contains(arg)).cloned().collect::<Vec<_>>()
    };
    (only(theirs, own), only(own, theirs))
}

type Arguments = Vec<(String, String)>;

/// The most arguments that are written out.
const MOST: usize = 4;

impl Explanation {
    /// Returns it in a sentence, with the signer as the reader calls them.
    pub fn sentence(&self, who: &str) -> String {
        format!("{who} {}", self.signed_for)
    }
}

fn of_other_purpose(purpose: Purpose, title: &str, nonce: Nonce) -> String {
    match purpose {
        Purpose::Drill => format!("a DRILL of {title} at nonce {nonce}, which signs nothing real"),
        Purpose::Real => format!("the REAL {title} at nonce {nonce}, and not a drill: keep it out of drills"),
    }
}

fn approval_flags(approve_as: &[String]) -> String {
    if approve_as.is_empty() {
        return "without --approve-as".into();
    }
    let flags = approve_as.iter().take(MOST).map(|safe| format!(" --approve-as {}", quoted(safe)));
    format!("with{}", flags.collect::<String>())
}

fn listed(args: &[(String, String)]) -> String {
    if args.is_empty() {
        return "nothing of that".into();
    }
    let first: Vec<String> =
        args.iter().take(MOST).map(|(name, value)| format!("{} = {}", quoted(name), quoted(value))).collect();
    let more = args.len() - first.len();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", first.join(", "))
}

/// A stranger's text. What does not look like a name or a value stands in quotation marks, so that it reads as nothing of
/// the program's own.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " +-_./,%".contains(c);
    let is_short = text.len() <= 80 && !text.starts_with(' ');
    if is_short && text.chars().all(is_plain) { text.into() } else { format!("{:?}", cut(text)) }
}

fn cut(text: &str) -> String {
    const MOST_CHARS: usize = 80;
    let mut cut: String = text.chars().take(MOST_CHARS).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}
