//! The verdicts of a page. An explanation asks for them too.

use crate::sync::choice::hold as choice;
use crate::sync::choice::model::{Candidates, Choice};
use crate::sync::gather::Work;
use crate::sync::guard::hold::{self, Lasting};
use crate::sync::model::{ItemKey, Reason, Verdict};
use crate::sync::stream::Stream;
use crate::sync::{handover, plan};
use std::collections::HashMap;

/// Verdicts as a turn has them before the guard looks at its deletions.
pub(in crate::sync) struct Planned {
    /// What is to be done.
    pub works: Vec<(Work, Verdict)>,
    /// What a person would be asked.
    pub waits: Vec<Choice>,
}

/// Plans works, and bars what a turn does not make: what lasts, what a person is asked about, what the user may not.
pub(in crate::sync) fn planned(
    works: Vec<Work>,
    stream: &mut Stream,
    lasting: &Lasting,
    candidates: &HashMap<ItemKey, Candidates>,
) -> Planned {
    let pairs: Vec<_> = works.iter().map(|work| work.pair.clone()).collect();
    let verdicts = plan::plan(&pairs, stream.common);
    let mut works: Vec<_> = works.into_iter().zip(verdicts).collect();
    hold::barred(&mut works, lasting);
    handover::settle(stream, &mut works);
    let of = (stream.kind(), stream.now);
    let waits = choice::hold(&mut works, &mut stream.choices, candidates, of);
    if !stream.capabilities.may_create(stream.kind()) {
        let creates = works
            .iter_mut()
            .filter(|(_, verdict)| *verdict == Verdict::CreateInCrm);
        creates.for_each(|(_, verdict)| *verdict = Verdict::Skip(Reason::NoRight));
    }
    Planned { works, waits }
}
