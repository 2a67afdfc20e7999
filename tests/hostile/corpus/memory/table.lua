-- class: memory
-- tries: a table that grows without end
-- holds: ERROR "of memory: the limit"

local job = core.job()

function job.run(run)
  local list = {}
  for i = 1, 10^9 do list[i] = i end
  return job.OK
end

return job
