//! One heartbeat is a flood of them, however well it is answered.

use crate::contract::Face::Conduct;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "beats-without-rest",
    &[("6.1", Conduct)],
    "Sends every heartbeat 320 times over.",
    |rules| rules.out.is_sent_again = |times, _| times < 320,
);
