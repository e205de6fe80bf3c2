//! A part of a page that a program writes: between `<!-- name -->` and `<!-- /name -->`.

use std::{fs, path::Path};

use anyhow::Context as _;

pub fn replace(path: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let page = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (head, rest) = page.split_once(&begin).with_context(|| format!("{begin:?} is not in the page"))?;
    let (_, tail) = rest.split_once(&end).with_context(|| format!("{end:?} is not in the page"))?;
    fs::write(path, format!("{head}{begin}{text}{end}{tail}")).with_context(|| path.display().to_string())
}
