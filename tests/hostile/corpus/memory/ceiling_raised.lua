-- class: memory
-- tries: to ask for more memory than the operator gives
-- holds: ERROR "used more than 16 MB of memory: the limit"
-- holds: INVALID "memory"

local job = core.job { memory = "8GB" }

function job.run()
  local list = {}
  for i = 1, 10^9 do list[i] = i end
  return job.OK
end

return job
