-- class: memory
-- tries: different strings without end
-- holds: ERROR "of memory: the limit"

local job = core.job()

function job.run(run)
  local set = {}
  for i = 1, 10^9 do set[("key "):rep(250) .. i] = true end
  return job.OK
end

return job
