-- class: lifecycle
-- tries: to ask to be tried again after a time that cannot be
-- holds: ERROR "job.RETRY with a delay that cannot be used"

local job = core.job()

function job.run(run)
  return job.RETRY, -10^18
end

return job
