//! A quarrel in a world at rest: both sides write into a field that has a rule of its own, one turn goes by, and nothing
//! else happens. In a life something nearly always goes wrong around a quarrel, and then either one's word is right.

use super::things::other;
use super::world::World;
use holdfast::sync::model::Side;
use holdfast::sync::policy::ConflictRule;
use std::time::Duration;

impl World {
    /// Where a field's own rule and its policy's have different winners, the field's wins.
    ///
    /// # Errors
    /// What does not hold.
    pub async fn quarrels(&mut self) -> Result<(), String> {
        for place in self.streams() {
            let way = self.way(place);
            // Across clocks that say nothing of each other, the newer word may be either.
            if way.source.is_some() || self.apart {
                continue;
            }
            let telling = (0..2).find_map(|slot| Some((slot, last_word(way.own[slot]?, way.conflict)?)));
            let Some((slot, last)) = telling else { continue };
            let (row, kind) = place;
            let whole = |which: &usize| self.things[*which].is_certain() && self.things[*which].is_one(way);
            let Some(which) = self.things_of(row, kind).into_iter().find(whole) else {
                continue;
            };
            for side in [other(last), last] {
                self.outside_moves(Duration::from_millis(1500));
                if !self.write(which, side, slot).await {
                    let title = &self.things[which].title;
                    return Err(format!("at rest, {title} is not in the {}", side.word()));
                }
            }
            self.outside_moves(Duration::from_millis(1500));
            self.rest_of(&[place]).await?;
            return self.judge_stream(place).await;
        }
        Ok(())
    }
}

/// Who has to write last, so that the two rules have different winners.
fn last_word(own: ConflictRule, policy: ConflictRule) -> Option<Side> {
    let winner = |rule: ConflictRule, last: Side| match rule {
        ConflictRule::MailboxWins => Side::Mailbox,
        ConflictRule::CrmWins => Side::Crm,
        ConflictRule::NewestWins | ConflictRule::MergeByField => last,
    };
    let differ = |last: &Side| winner(own, *last) != winner(policy, *last);
    [Side::Mailbox, Side::Crm].into_iter().find(differ)
}
