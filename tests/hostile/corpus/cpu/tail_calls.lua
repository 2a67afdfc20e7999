-- class: cpu
-- tries: calls without end that need no stack
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  local function again(n) return again(n + 1) end
  return job.OK, again(0)
end

return job
