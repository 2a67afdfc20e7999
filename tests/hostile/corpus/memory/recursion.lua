-- class: memory
-- tries: calls inside of calls without end
-- holds: ERROR "stack overflow"
-- holds: ERROR "of memory: the limit"

local job = core.job()

function job.run(run)
  local function deep() return 1 + deep() end
  return job.OK, deep()
end

return job
