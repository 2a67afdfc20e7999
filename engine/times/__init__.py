"""Time as rules: clocks, durations, cron lines, schedules and when they are due."""
