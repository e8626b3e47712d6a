//! The page that shows what is in a folder.

use core::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;

/// Entries shown; a larger folder is not a web page any more.
const MAX_ENTRIES: usize = 10_000;

/// Makes the page for `folder`, whose decoded path on the server is `title`.
pub(crate) fn page(folder: &Path, title: &str, hidden: bool) -> io::Result<String> {
    let mut names = Vec::new();
    let mut more = false;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // A name that is no text cannot be asked for either.
        let Ok(mut name) = entry.file_name().into_string() else {
            continue;
        };
        if name.starts_with('.') && !hidden {
            continue;
        }
        if names.len() == MAX_ENTRIES {
            more = true;
            break;
        }
        if entry.path().is_dir() {
            name.push('/');
        }
        names.push(name);
    }
    names.sort_unstable();
    Ok(html(title, &names, more))
}

fn html(title: &str, names: &[String], more: bool) -> String {
    let title = escape(title);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<h1>{title}</h1>\n<ul>\n"
    );
    if title != "/" {
        page.push_str("<li><a href=\"../\">../</a>\n");
    }
    for name in names {
        // Begins with "./", so that a colon in the name does not look like a scheme.
        let (link, text) = (encode(name), escape(name));
        page.push_str(&format!("<li><a href=\"./{link}\">{text}</a>\n"));
    }
    page.push_str("</ul>\n");
    if more {
        page.push_str(&format!("<p>Only {MAX_ENTRIES} entries are shown.\n"));
    }
    page
}

/// Makes text safe within HTML, also within quotes.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}

/// Percent-encodes all but the unreserved characters and the slash (RFC 3986, Section 2).
pub(crate) fn encode(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out_of_the_page() {
        let names = ["<script>\"'&".to_owned(), "javascript:x".to_owned()];
        let page = html("/<b>/", &names, false);
        assert!(page.contains("&lt;script&gt;&quot;&#39;&amp;"));
        assert!(page.contains("href=\"./%3Cscript%3E%22%27%26\""));
        assert!(page.contains("href=\"./javascript%3Ax\""));
        assert!(!page.contains("<script>") && !page.contains("<b>"));
    }

    #[test]
    fn a_folder_is_listed_in_order_and_without_hidden_files() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("b.txt"), "").unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(folder.path().join(".secret"), "").unwrap();
        let shown = page(folder.path(), "/", false).unwrap();
        let (a, b) = (shown.find("./a/").unwrap(), shown.find("./b.txt").unwrap());
        assert!(a < b && !shown.contains("secret") && !shown.contains("../"));
        assert!(
            page(folder.path(), "/x/", true)
                .unwrap()
                .contains(".secret")
        );
    }
}
