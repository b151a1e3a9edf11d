use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};

/// Every schedule with at most so many preemptions, one after the other, depth first.
///
/// A preemption takes the turn from a task that could go on. Switching where the running task waits,
/// yields or ends is free, so with no preemption at all each task still meets each other one at all of
/// those points. Most races need one or two, and the number of schedules grows with the length of the
/// test to the power of the bound, not exponentially.
#[derive(Debug)]
pub(crate) struct Preemptions {
    bound: usize,
    /// The decisions of the present schedule, the first one first.
    decisions: Vec<Decision>,
    step: usize,
    used: usize,
    begun: bool,
}

#[derive(Debug)]
struct Decision {
    choices: Vec<TaskId>,
    chosen: usize,
}

impl Preemptions {
    pub(crate) fn at_most(bound: usize) -> Self {
        Self {
            bound,
            decisions: Vec::new(),
            step: 0,
            used: 0,
            begun: false,
        }
    }
}

impl Scheduler for Preemptions {
    fn new_execution(&mut self) -> Option<Schedule> {
        if self.begun {
            // The last decision that has another choice left takes it; what came after is decided anew.
            let open = |decision: &Decision| decision.chosen + 1 < decision.choices.len();
            let last = self.decisions.iter().rposition(open)?;
            self.decisions.truncate(last + 1);
            self.decisions[last].chosen += 1;
        }
        self.begun = true;
        self.step = 0;
        self.used = 0;
        Some(Schedule::new(0))
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        let goes_on = current
            .filter(|current| !is_yielding && runnable.iter().any(|task| task.id() == *current));
        if self.step == self.decisions.len() {
            let choices = match goes_on {
                Some(current) if self.used == self.bound => vec![current],
                _ => runnable.iter().map(|task| task.id()).collect(),
            };
            self.decisions.push(Decision { choices, chosen: 0 });
        }
        let decision = &self.decisions[self.step];
        let next = decision.choices[decision.chosen];
        self.step += 1;
        self.used += usize::from(goes_on.is_some_and(|current| current != next));
        Some(next)
    }

    fn next_u64(&mut self) -> u64 {
        unreachable!("nothing here asks shuttle for chance")
    }
}
