-- class: cpu
-- tries: one call of table.concat over a table that answers every index
-- holds: TIMEOUT "of CPU time: the limit"
-- holds: ERROR "of memory: the limit"

local job = core.job()

function job.run(run)
  local endless = setmetatable({}, { __index = function() return "" end, __len = function() return 10^15 // 1 end })
  return job.OK, #table.concat(endless)
end

return job
