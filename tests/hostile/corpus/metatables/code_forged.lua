-- class: metatables
-- tries: to make another job.OK out of the real one's parts
-- holds: ERROR "cannot be changed"

local job = core.job()

function job.run(run)
  job.OK.status = "COMPLETE"
  return job.OK, "reached"
end

return job
