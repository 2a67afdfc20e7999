-- class: memory
-- tries: JSON that is small as text and large as values
-- holds: ERROR "of memory: the limit"
-- holds: COMPLETE "held"
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  local value, problem = core.json_safe.decode("[" .. ("[],"):rep(500000) .. "[]]")
  if value then return job.OK, "decoded" end
  return job.OK, problem and "held"
end

return job
