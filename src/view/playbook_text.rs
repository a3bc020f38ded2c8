//! A playbook in plain words, and the lever that binds it.

use crate::playbook::{Origin, Playbook, Step, Undo};

/// Where a playbook was found.
#[must_use]
pub fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Council(path) => path.clone(),
        Origin::BuiltIn => "built in".into(),
    }
}

/// A lever for a council file, with the example's arguments.
#[must_use]
pub fn lever(playbook: &Playbook) -> String {
    let example = playbook.example.as_ref();
    let set = playbook.params.iter().filter(|p| p.default.is_none() && !p.for_undo).map(|p| {
        let given = example.and_then(|e| e.set.get(&p.name)).map_or("…", String::as_str);
        format!("{} = {given:?}", p.name)
    });
    let set = set.collect::<Vec<_>>().join(", ");
    let name = playbook.id.as_str().rsplit('/').next().unwrap_or_default();
    format!("[levers.{name}]\nplaybook = \"{}\"\nsafe = \"guardian\"\nset = {{ {set} }}", playbook.id)
}

/// `, for each pool of {pools}`, or nothing.
fn repeated(step: &Step) -> String {
    step.each.as_ref().map_or_else(String::new, |each| format!(", {each}"))
}

fn who_may(playbook: &Playbook) -> String {
    match (playbook.anyone, &playbook.role) {
        (false, role) => role.clone().unwrap_or_default(),
        (true, None) => "anybody".into(),
        (true, Some(role)) => format!("anybody: {role}"),
    }
}

/// A playbook in plain words: what, and then the words.
#[must_use]
pub fn explained(playbook: &Playbook, from: &Origin) -> Vec<Vec<String>> {
    let undo = match &playbook.undo {
        Undo::Playbook { id, .. } => id.to_string(),
        Undo::None { why } => format!("none: {why}"),
    };
    let params = playbook.params.iter().map(|p| {
        let title = if p.title.is_empty() { String::new() } else { format!(": {}", p.title) };
        let default = p.default.as_ref().map(|d| format!(" [default: {d}]")).unwrap_or_default();
        let former = if p.is_former() { " [as read before the act, once it is proven here]" } else { "" };
        let who = if p.for_undo { "its undo needs" } else { "needs" };
        (who.to_string(), format!("{}{title}{default}{former}", p.ask()))
    });
    let calls = playbook.steps.iter().map(|step| {
        ("calls".to_string(), format!("{} {}{}", step.to, step.function.signature(), repeated(step)))
    });
    let proofs = playbook.after.iter().map(|claim| ("proves".to_string(), claim.to_string()));
    let rows = [
        ("protocol", playbook.family.clone().unwrap_or_default()),
        ("summary", playbook.summary.clone()),
        ("does not stop", playbook.does_not_stop.clone()),
        ("costs", playbook.cost.clone()),
        ("who may", who_may(playbook)),
        ("takes effect", playbook.delay.clone().unwrap_or_default()),
        ("once more", playbook.repeatable.clone().unwrap_or_default()),
        ("undo", undo),
        ("source", playbook.source.clone()),
        ("found", origin(from)),
        ("digest", playbook.digest().to_string()),
    ];
    rows.map(|(name, text)| (name.to_string(), text))
        .into_iter()
        .chain(params)
        .chain(calls)
        .chain(proofs)
        .filter(|(_, text)| !text.is_empty())
        .map(|(name, text)| vec![name, text])
        .collect()
}
