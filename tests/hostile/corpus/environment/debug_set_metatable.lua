-- class: environment
-- tries: to give all functions a metatable
-- holds: ERROR "debug.setmetatable is not available in jobs"

local job = core.job()

function job.run(run)
  debug.setmetatable(print, { __index = _G })
  return job.OK, "reached"
end

return job
