-- class: cpu
-- tries: an error handler that fails and is its own handler
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  local function fail() error("again") end
  while true do xpcall(fail, fail) end
end

return job
