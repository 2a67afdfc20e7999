-- class: cpu
-- tries: to live where every call fails, so that no error of a limit could be raised
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  local function edge() pcall(edge) edge() end
  while true do pcall(edge) end
end

return job
