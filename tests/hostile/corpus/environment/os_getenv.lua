-- class: environment
-- tries: to read the engine's environment
-- holds: ERROR "os.getenv is not available in jobs"

local job = core.job()

function job.run(run)
  return job.OK, os.getenv("CANARY")
end

return job
