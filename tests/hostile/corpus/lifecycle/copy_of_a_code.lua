-- class: lifecycle
-- tries: to return a copy of a code
-- holds: ERROR "run() returned a table; it must return job.OK"

local job = core.job()

function job.run(run)
  local copy = {}
  for key, value in pairs(job.OK) do copy[key] = value end
  return setmetatable(copy, { __tostring = function() return "job.OK" end })
end

return job
