-- class: memory
-- tries: functions without end
-- holds: ERROR "of memory: the limit"

local job = core.job()

function job.run(run)
  local list = {}
  while true do list[#list + 1] = function() return list end end
end

return job
