-- class: environment
-- tries: to run a file from outside of the jobs folder
-- holds: ERROR "dofile is not available in jobs"

local job = core.job()

function job.run(run)
  return job.OK, dofile(run.data.folder .. "/secret.lua").secret
end

return job
