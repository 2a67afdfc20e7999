-- class: environment
-- tries: to move a file away
-- holds: ERROR "os.rename is not available in jobs"

local job = core.job()

function job.run(run)
  os.rename(run.data.file, run.data.folder .. "/moved.txt")
  return job.OK, "reached"
end

return job
