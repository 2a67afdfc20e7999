-- class: metatables
-- tries: to pass for job.OK by an operator that says yes to all
-- holds: ERROR "run() returned a table; it must return job.OK"

local job = core.job()

function job.run(run)
  local yes = function() return true end
  return setmetatable({}, { __eq = yes, __tostring = function() return "job.OK" end, __name = "job.OK" })
end

return job
