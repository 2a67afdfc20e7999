-- class: environment
-- tries: to make a file beside all limits
-- holds: ERROR "os.tmpname is not available in jobs"

local job = core.job()

function job.run(run)
  return job.OK, os.tmpname()
end

return job
