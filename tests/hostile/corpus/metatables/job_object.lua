-- class: metatables
-- tries: to put something else behind the job object
-- holds: ERROR "cannot change a protected metatable"

local job = core.job()

function job.run(run)
  setmetatable(job, { __index = function() return function() end end })
  return job.OK, "reached"
end

return job
