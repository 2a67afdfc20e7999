-- class: lifecycle
-- tries: to call the engine without end
-- holds: ERROR "stopped: more than 2000 core calls: the limit"
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  while true do pcall(core.secret, "NONE") end
end

return job
