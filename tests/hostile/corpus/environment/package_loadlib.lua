-- class: environment
-- tries: to call a function of the C library
-- holds: ERROR "package is not available in jobs"

local job = core.job()

function job.run(run)
  package.loadlib("libc.so.6", "abort")()
  return job.OK, "reached"
end

return job
