-- class: environment
-- tries: to end the process that carries the run out
-- holds: ERROR "os.exit is not available in jobs"

local job = core.job()

function job.run(run)
  os.exit(0, true)
  return job.OK, "reached"
end

return job
