-- class: cpu
-- tries: an endless loop that catches every error
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  while true do pcall(function() while true do end end) end
end

return job
