-- class: boundary
-- tries: to become another run by changing what was given to this one
-- holds: COMPLETE {"id": true, "job": "boundary/context_changed"}

local job = core.job()

function job.run(run)
  local id = run.id
  run.id, run.job, run.attempt, run.trigger = 1, "benign", 99, "schedule"
  setmetatable(run, { __index = function() return 1 end })
  job.save_info({ run = run.id, job = run.job })
  local _, about = core.jobs.status(id)
  return job.OK, { id = about.id == id, job = about.job }
end

return job
