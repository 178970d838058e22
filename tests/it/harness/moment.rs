//! One moment for a whole test.

use std::sync::LazyLock;

use chrono::{DateTime, SubsecRound as _, Utc};

/// The second in which this test first asked: what is "in three days" at its beginning is so at its end,
/// also where a second, or midnight, passes between the two.
pub fn began() -> DateTime<Utc> {
    static BEGAN: LazyLock<DateTime<Utc>> = LazyLock::new(|| Utc::now().trunc_subsecs(0));
    *BEGAN
}
