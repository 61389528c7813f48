//! What is printed: everything within 80 columns.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::Demo;

const WIDTH: usize = 80;
const INDENT: usize = 3;

/// Begins a section, numbered.
pub(crate) fn heading(title: &str) {
    static SECTION: AtomicUsize = AtomicUsize::new(1);
    println!("\n{}. {title}\n", SECTION.fetch_add(1, Ordering::Relaxed));
}

/// Prints a text, broken into lines.
pub(crate) fn paragraph(text: &str) {
    quote(text, INDENT);
}

/// Prints a text that something else said, set in further.
pub(crate) fn quote(text: &str, indent: usize) {
    for line in wrapped(text, WIDTH - indent) {
        println!("{:indent$}{line}", "");
    }
}

/// Shows something promised that was checked; fails if it was not kept.
pub(crate) fn promise(kept: bool, what: &str) -> Demo {
    if !kept {
        return Err(format!("not as promised: {what}").into());
    }
    item("ok", what);
    Ok(())
}

/// Prints a text after a short label, in lines of its own.
pub(crate) fn item(label: &str, text: &str) {
    const LABEL: usize = 4;
    for (n, line) in wrapped(text, WIDTH - INDENT - LABEL).iter().enumerate() {
        println!("{:INDENT$}{:<LABEL$}{line}", "", if n == 0 { label } else { "" });
    }
}

/// An event with spaces, so that it can be broken into lines.
pub(crate) fn spaced(event: &Value) -> String {
    let Value::Object(fields) = event else { return event.to_string() };
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\": {}", spaced(value))).collect();
    format!("{{{}}}", fields.join(", "))
}

/// A text cut to this width, so that one sees that it was.
pub(crate) fn shortened(text: &str, width: usize) -> String {
    const CUT: &str = "..";
    if text.len() <= width {
        return text.to_owned();
    }
    text.chars().take(width - CUT.len()).chain(CUT.chars()).collect()
}

/// Prints a table. The last column is broken into lines where it does not fit.
pub(crate) fn table<const N: usize>(header: [&str; N], rows: &[[String; N]]) {
    let header = header.map(str::to_owned);
    let width = |column: usize| rows.iter().chain([&header]).map(|row| row[column].len()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..N - 1).map(width).collect();
    let left: usize = INDENT + widths.iter().map(|width| width + 2).sum::<usize>();
    for row in [&header].into_iter().chain(rows) {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}  ")).collect();
        let mut start = format!("{:INDENT$}{}", "", cells.concat());
        for line in wrapped(&row[N - 1], WIDTH - left) {
            println!("{start}{line}");
            start = " ".repeat(left);
        }
    }
}

/// Breaks at spaces. A text that fits stays as it is, its spaces too; so does a word that is longer than a line.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    if text.len() <= width {
        return vec![text.to_owned()];
    }
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().filter(|line| line.is_empty() || line.len() + 1 + word.len() <= width);
        match line {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}
