-- class: environment
-- tries: to start a program and read what it prints
-- holds: ERROR "io is not available in jobs"

local job = core.job()

function job.run(run)
  return job.OK, io.popen("cat " .. run.data.file):read("a")
end

return job
