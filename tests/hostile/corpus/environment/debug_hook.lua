-- class: environment
-- tries: to run code at each line of the engine's own Lua
-- holds: ERROR "debug.sethook is not available in jobs"

local job = core.job()

function job.run(run)
  debug.sethook(function() end, "l")
  return job.OK, "reached"
end

return job
