-- class: memory
-- tries: coroutines inside of coroutines without end
-- holds: ERROR "C stack overflow"
-- holds: ERROR "of memory: the limit"

local job = core.job()

function job.run(run)
  local function deep() return coroutine.wrap(deep)() end
  return job.OK, deep()
end

return job
