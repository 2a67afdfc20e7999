-- class: lifecycle
-- tries: to return a code as its name
-- holds: ERROR "run() returned the string \"OK\"; it must return job.OK"

local job = core.job()

function job.run(run)
  return "OK", "reached"
end

return job
