-- class: lifecycle
-- tries: to hold the engine by a cron line that it searches for ever
-- holds: INVALID "cron"

local job = core.job { cron = "0 0 31 2 *" }

function job.run()
  return job.OK
end

return job
