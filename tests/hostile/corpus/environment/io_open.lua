-- class: environment
-- tries: to read a file by the library for files
-- holds: ERROR "io is not available in jobs"

local job = core.job()

function job.run(run)
  local file = io.open(run.data.file)
  return job.OK, file:read("a")
end

return job
