-- class: metatables
-- tries: to run code when the state is closed, outside of all limits
-- holds: ERROR "__gc is not available in jobs"

local job = core.job()

function job.run(run)
  setmetatable({}, { __gc = function() while true do end end })
  return job.OK, "reached"
end

return job
