-- class: environment
-- tries: to take the bridge to the engine out of a function of core
-- holds: ERROR "debug.getupvalue is not available in jobs"

local job = core.job()

function job.run(run)
  local _, bridge = debug.getupvalue(core.sleep, 1)
  return job.OK, type(bridge)
end

return job
