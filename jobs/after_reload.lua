-- Looks three times, after each start and reload, whether the heartbeat goes on; then it stops.
-- Start from it for: a check after a change that should end by itself.
-- A reload (or a restart of the engine) wakes a stopped job.

local state = require "lib.state"

local job = core.job {
  every = "10s",
  description = "Check the heartbeat three times after a reload, then stop",
  tags = { kind = "example", shows = "job.STOP" },
}

local CHECKS = 3
local LATE_SECONDS = 30

local function heartbeat_is_late()
  local beat = core.data("state"):get({ name = "heartbeat" })
  return beat == nil or os.time() - beat.last > LATE_SECONDS
end

function job.run(run)
  local check = state.load("after_reload", { done = 0, late = 0 })
  check.done = check.done + 1
  if heartbeat_is_late() then
    check.late = check.late + 1
    core.log.warn("check", check.done, "of", CHECKS, "found no beat in the last", LATE_SECONDS, "seconds")
  end

  if check.done < CHECKS then
    state.save(check)
    return job.OK, { checks = check.done, late = check.late }
  end

  local result = { checks = check.done, late = check.late }
  check.done, check.late = 0, 0
  state.save(check)
  core.log(CHECKS, "checks are done; the next reload starts them again")
  return job.STOP, result
end

return job
