-- class: environment
-- tries: to compile code that stands in no file
-- holds: ERROR "load is not available in jobs"

local job = core.job()

function job.run(run)
  return job.OK, load("return io ~= nil")()
end

return job
