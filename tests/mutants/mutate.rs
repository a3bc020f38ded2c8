//! Source text with switches in it: each mutant is compiled in once, and asleep until its number is asked for.
//!
//! A line keeps its number, so that what the compiler says of the changed text is true of the text as well.

use std::collections::BTreeSet;
use std::ops::Range;

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{BinOp, Block, Expr, Item, ReturnType, Signature, Stmt, Type, UnOp};

/// One change to one place.
#[derive(Debug, Clone)]
pub struct Mutant {
    pub file: String,
    pub lines: Range<usize>,
    pub function: String,
    pub change: String,
}

impl Mutant {
    /// Returns a name that stays when lines move.
    pub fn key(&self) -> String {
        format!("{} · {}", self.place(), self.change)
    }

    /// Returns the function's name.
    pub fn place(&self) -> String {
        format!("{} · {}", self.file, self.function)
    }
}

/// Text put around a range of the source.
struct Wrap {
    range: Range<usize>,
    before: String,
    after: String,
}

/// Collects the places of one file.
pub struct Places<'a> {
    file: &'a str,
    source: &'a str,
    wraps: Vec<Wrap>,
    functions: Vec<String>,
    mutants: &'a mut Vec<Mutant>,
    dropped: &'a BTreeSet<usize>,
}

const BOOL_METHODS: &[&str] = &[
    "all",
    "any",
    "contains",
    "contains_key",
    "ends_with",
    "eq",
    "is_empty",
    "is_err",
    "is_none",
    "is_none_or",
    "is_ok",
    "is_ok_and",
    "is_some",
    "is_some_and",
    "is_zero",
    "starts_with",
];

/// Returns the file's text with every mutant in it; a mutant's number is its place in `mutants`.
pub fn switched(
    file: &str,
    source: &str,
    mutants: &mut Vec<Mutant>,
    dropped: &BTreeSet<usize>,
) -> syn::Result<String> {
    let tree = syn::parse_file(source)?;
    let mut places = Places { file, source, wraps: Vec::new(), functions: Vec::new(), mutants, dropped };
    places.visit_file(&tree);
    Ok(places.text())
}

impl Places<'_> {
    /// Returns the number of a new mutant; None if it does not compile.
    fn mutant(&mut self, span: Span, change: String) -> Option<usize> {
        self.mutant_at(span.start().line..span.end().line + 1, change)
    }

    fn mutant_at(&mut self, lines: Range<usize>, change: String) -> Option<usize> {
        let function = self.functions.join("::");
        let mutant = Mutant { file: self.file.to_owned(), lines, function, change };
        let number = self.mutants.len();
        let dropped = self.dropped.contains(&number);
        self.mutants.push(mutant);
        (!dropped).then_some(number)
    }

    fn wrap(&mut self, range: Range<usize>, before: String, after: &str) {
        self.wraps.push(Wrap { range, before, after: after.to_owned() });
    }

    fn source_of(&self, span: Span) -> String {
        self.source[span.byte_range()].split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn flip(&mut self, span: Span, what: &str) {
        let change = format!("{what} `{}` is the opposite", self.source_of(span));
        if let Some(n) = self.mutant(span, change) {
            self.wrap(span.byte_range(), "((".to_owned(), &format!(") != {})", on(n)));
        }
    }

    fn instead(&mut self, span: Span, other: &str, change: String) {
        if let Some(n) = self.mutant(span, change) {
            self.wrap(span.byte_range(), format!("(if {} {{ {other} }} else {{ ", on(n)), " })");
        }
    }

    fn binary(&mut self, node: &syn::ExprBinary) {
        let span = node.span();
        let (left, right) = (self.source_of(node.left.span()), self.source_of(node.right.span()));
        if left.contains("//") || right.contains("//") {
            return;
        }
        let boundary = match node.op {
            BinOp::Lt(_) => Some("<="),
            BinOp::Le(_) => Some("<"),
            BinOp::Gt(_) => Some(">="),
            BinOp::Ge(_) => Some(">"),
            _ => None,
        };
        let swapped = match node.op {
            BinOp::And(_) => Some("||"),
            BinOp::Or(_) => Some("&&"),
            BinOp::Add(_) => Some("-"),
            BinOp::Sub(_) => Some("+"),
            _ => None,
        };
        if boundary.is_some() || matches!(node.op, BinOp::Eq(_) | BinOp::Ne(_)) {
            self.flip(span, "comparison");
        }
        if let Some(op) = boundary.or(swapped)
            && !has_let(&node.left)
            && !has_let(&node.right)
        {
            let change = format!("`{left} … {right}` with `{op}`");
            self.instead(span, &format!("({left}) {op} ({right})"), change);
        }
    }

    fn body(&mut self, signature: &Signature, block: &Block) {
        let open = block.brace_token.span.open();
        let (at, lines) = (open.byte_range().end, signature.span().start().line..open.end().line + 1);
        for value in defaults(&signature.output) {
            let what = if value.is_empty() { "nothing" } else { value };
            let change = format!("returns {what} at once");
            if let Some(n) = self.mutant_at(lines.clone(), change) {
                self.wrap(at..at, format!(" if {} {{ return {value}; }}", on(n)), "");
            }
        }
    }

    fn function(&mut self, signature: &Signature, block: &Block) {
        if signature.constness.is_some() {
            return;
        }
        self.functions.push(signature.ident.to_string());
        self.body(signature, block);
        visit::visit_block(self, block);
        self.functions.pop();
    }

    /// Returns the changed text.
    fn text(self) -> String {
        let mut marks: Vec<(usize, u8, usize, usize, &str)> = Vec::new();
        for (seq, wrap) in self.wraps.iter().enumerate() {
            let length = wrap.range.len();
            if length == 0 {
                marks.push((wrap.range.start, 1, usize::MAX, seq, &wrap.before));
                continue;
            }
            // At one place what ends comes before what begins; the inner ends first, the outer begins first.
            marks.push((wrap.range.end, 0, length, usize::MAX - seq, &wrap.after));
            marks.push((wrap.range.start, 2, usize::MAX - length, seq, &wrap.before));
        }
        marks.sort();
        let mut text = String::with_capacity(self.source.len() * 2);
        let mut done = 0;
        for (at, _, _, _, mark) in marks {
            text.push_str(&self.source[done..at]);
            text.push_str(mark);
            done = at;
        }
        text.push_str(&self.source[done..]);
        text
    }
}

impl<'ast> Visit<'ast> for Places<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Fn(item) => &item.attrs,
            Item::Mod(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Trait(item) => &item.attrs,
            _ => return,
        };
        if !attributes.iter().any(for_tests) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let shown = item.trait_.as_ref().and_then(|(_, path, _)| path.segments.last());
        if shown.is_some_and(|name| ["Debug", "Display"].contains(&name.ident.to_string().as_str())) {
            return;
        }
        self.functions.push(self.source_of(item.self_ty.span()));
        visit::visit_item_impl(self, item);
        self.functions.pop();
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.functions.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.functions.pop();
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !item.attrs.iter().any(for_tests) {
            self.function(&item.sig, &item.block);
        }
    }

    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.sig, block);
        }
    }

    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        if let Stmt::Expr(expression, Some(_)) = statement
            && !matches!(expression, Expr::Return(_) | Expr::Break(_) | Expr::Continue(_) | Expr::Macro(_))
        {
            let change = format!("without `{}`", self.source_of(statement.span()));
            if let Some(n) = self.mutant(statement.span(), change) {
                self.wrap(statement.span().byte_range(), format!("if !{} {{ ", on(n)), " }");
            }
        }
        visit::visit_stmt(self, statement);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        if let Some((_, guard)) = &arm.guard
            && !has_let(guard)
        {
            self.flip(guard.span(), "guard");
        }
        visit::visit_arm(self, arm);
    }

    fn visit_expr(&mut self, expression: &'ast Expr) {
        match expression {
            Expr::Binary(node) => self.binary(node),
            Expr::Unary(node) if matches!(node.op, UnOp::Not(_)) => {
                let inner = self.source_of(node.expr.span());
                self.instead(node.span(), &inner, format!("`!{inner}` without `!`"));
            }
            Expr::MethodCall(node) if BOOL_METHODS.contains(&node.method.to_string().as_str()) => {
                self.flip(node.span(), "answer");
            }
            Expr::Const(_) | Expr::Repeat(_) => return,
            _ => {}
        }
        visit::visit_expr(self, expression);
    }

    fn visit_type(&mut self, _: &'ast Type) {}
}

fn on(number: usize) -> String {
    format!("crate::mutant_switch::on({number})")
}

fn for_tests(attribute: &syn::Attribute) -> bool {
    let path = attribute.path();
    path.is_ident("test")
        || path.is_ident("cfg")
            && attribute.meta.require_list().is_ok_and(|list| list.tokens.to_string() == "test")
}

fn has_let(expression: &Expr) -> bool {
    struct Lets(bool);
    impl<'ast> Visit<'ast> for Lets {
        fn visit_expr_let(&mut self, _: &'ast syn::ExprLet) {
            self.0 = true;
        }
    }
    let mut lets = Lets(false);
    lets.visit_expr(expression);
    lets.0
}

/// Returns values that a function could wrongly give back.
fn defaults(output: &ReturnType) -> &'static [&'static str] {
    let ReturnType::Type(_, kind) = output else { return &[""] };
    let Type::Path(path) = &**kind else { return &[] };
    let Some(last) = path.path.segments.last() else { return &[] };
    match last.ident.to_string().as_str() {
        "bool" => &["true", "false"],
        "Option" => &["None"],
        "Vec" => &["Vec::new()"],
        "String" => &["String::new()"],
        "Result" => match &last.arguments {
            syn::PathArguments::AngleBracketed(given) => match given.args.first() {
                Some(syn::GenericArgument::Type(Type::Tuple(tuple))) if tuple.elems.is_empty() => &["Ok(())"],
                Some(syn::GenericArgument::Type(Type::Path(path))) if path.path.is_ident("bool") => {
                    &["Ok(true)", "Ok(false)"]
                }
                Some(syn::GenericArgument::Type(Type::Path(path)))
                    if path.path.segments.last().is_some_and(|it| it.ident == "Option") =>
                {
                    &["Ok(None)"]
                }
                _ => &[],
            },
            _ => &[],
        },
        _ => &[],
    }
}
