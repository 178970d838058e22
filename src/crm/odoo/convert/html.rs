//! Descriptions are HTML in Odoo and plain text here.

use crate::foundation::content::Content;
use mail_parser::decoders::html::html_to_text;

/// Plain text as the HTML that Odoo's own editor would make of it. Odoo cleans what it is given; a text without
/// markup passes unchanged.
pub(in crate::crm::odoo) fn of_text(text: &str) -> String {
    if text.trim().is_empty() {
        return String::new();
    }
    let mut html = String::with_capacity(text.len() + 16);
    html.push_str("<p>");
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '\n' => html.push_str("<br>"),
            '\r' => {}
            c => html.push(c),
        }
    }
    html.push_str("</p>");
    html
}

/// The text of some HTML.
pub(in crate::crm::odoo) fn to_text(html: &Content<String>) -> Content<String> {
    let html = html.expose();
    // Of the elements that begin a line only two end one for the reader below.
    let lines = BLOCKS.iter().fold(html.clone(), |html, (end, with_break)| {
        html.replace(end, with_break)
    });
    Content::new(html_to_text(&lines).trim().to_owned())
}

const BLOCKS: [(&str, &str); 7] = [
    ("</div>", "<br></div>"),
    ("</li>", "<br></li>"),
    ("</tr>", "<br></tr>"),
    ("</h1>", "<br></h1>"),
    ("</h2>", "<br></h2>"),
    ("</h3>", "<br></h3>"),
    ("</blockquote>", "<br></blockquote>"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<&str> {
        text.split_whitespace().collect()
    }

    proptest! {
        #[test]
        fn a_text_comes_back_from_its_html_but_for_white_space(text in "[a-zäö<>&;\"'\\\\/ \n!#-]{0,60}") {
            let back = to_text(&Content::new(of_text(&text)));
            prop_assert_eq!(words(back.expose()), words(&text));
        }

        #[test]
        fn no_html_is_too_odd_to_be_read(html in "(<|>|/|!|-|&|;|#|x|[0-9]|p|br|style|script| |ä|\n|\"){0,80}") {
            let _ = to_text(&Content::new(html));
        }
    }

    #[test]
    fn blocks_and_breaks_begin_lines() {
        let html = Content::from("<div>One</div><ul><li>Two &amp; <b>three</b></li></ul><p>Four<br>five</p>");
        let text = to_text(&html);
        let lines: Vec<&str> = text
            .expose()
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        assert_eq!(lines, ["One", "Two & three", "Four", "five"]);
    }
}
