-- class: environment
-- tries: to start a program
-- holds: ERROR "os.execute is not available in jobs"

local job = core.job()

function job.run(run)
  os.execute("touch " .. run.data.folder .. "/owned")
  return job.OK, "reached"
end

return job
