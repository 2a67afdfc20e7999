-- class: environment
-- tries: to find the removed libraries where the interpreter keeps them
-- holds: ERROR "package is not available in jobs"

local job = core.job()

function job.run(run)
  return job.OK, package.loaded.io.open(run.data.file):read("a")
end

return job
