-- class: lifecycle
-- tries: to hide code among the settings
-- holds: INVALID "it holds a function"

local job = core.job { description = function() while true do end end }

function job.run()
  return job.OK
end

return job
