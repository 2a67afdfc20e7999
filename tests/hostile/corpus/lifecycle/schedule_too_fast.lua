-- class: lifecycle
-- tries: to run so often that nobody else gets a turn
-- holds: INVALID "every"

local job = core.job { every = 0.000001 }

function job.run()
  return job.OK
end

return job
