//! What a rule has to say.

/// The places that a rule looked at, and the faults among them.
#[derive(Default)]
pub struct Verdict {
    /// How many places of the kind that the rule is about were there.
    pub looked: usize,
    /// One sentence for each fault, with file and line.
    pub found: Vec<String>,
}

impl Verdict {
    /// The tree keeps the rule, and the rule saw the tree.
    #[track_caller]
    pub fn holds(self) {
        assert!(
            self.looked > 0,
            "the rule looked at nothing, so its green means nothing"
        );
        println!("looked at {} places", self.looked);
        assert!(
            self.found.is_empty(),
            "{} of {} places break the rule:\n  {}",
            self.found.len(),
            self.looked,
            self.found.join("\n  ")
        );
    }

    /// A planted fault was found: one finding has all these words in it.
    #[track_caller]
    pub fn finds(&self, words: &[&str]) {
        assert!(
            self.found
                .iter()
                .any(|line| words.iter().all(|word| line.contains(word))),
            "the planted fault ({}) was not found among: {:?}",
            words.join(", "),
            self.found
        );
    }
}
