-- class: memory
-- tries: coroutines without end
-- holds: ERROR "of memory: the limit"

local job = core.job()

function job.run(run)
  local list = {}
  while true do list[#list + 1] = coroutine.create(function() coroutine.yield() end) end
end

return job
