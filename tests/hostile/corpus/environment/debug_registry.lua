-- class: environment
-- tries: to read the interpreter's registry
-- holds: ERROR "debug.getregistry is not available in jobs"

local job = core.job()

function job.run(run)
  return job.OK, type(debug.getregistry()[2])
end

return job
