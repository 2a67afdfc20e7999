-- class: cpu
-- tries: an endless loop in a metamethod
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  local object = setmetatable({}, { __index = function() while true do end end })
  return job.OK, object.x
end

return job
