-- class: environment
-- tries: to remove a file
-- holds: ERROR "os.remove is not available in jobs"

local job = core.job()

function job.run(run)
  os.remove(run.data.file)
  return job.OK, "reached"
end

return job
