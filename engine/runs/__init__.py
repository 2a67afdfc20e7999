"""From due to done: jobs with their state, schedules, permits, and the carrying of runs."""
