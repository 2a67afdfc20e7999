-- class: memory
-- tries: tables that hold tables without end
-- holds: ERROR "of memory: the limit"

local job = core.job()

function job.run(run)
  local list = {}
  while true do list = { list, {}, {} } end
end

return job
