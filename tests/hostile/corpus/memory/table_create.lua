-- class: memory
-- tries: to ask for a table of any size in advance
-- holds: ERROR "of memory: the limit"
-- holds: ERROR "table overflow"
-- holds: ERROR "out of range"

local job = core.job()

function job.run(run)
  return job.OK, #table.create(2^31 - 1, 2^20 // 1)
end

return job
