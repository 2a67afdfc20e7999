-- class: cpu
-- tries: one call of table.insert on a table that says it is endless
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  table.insert(setmetatable({}, { __len = function() return 10^15 // 1 end }), 1, 5)
  return job.OK
end

return job
