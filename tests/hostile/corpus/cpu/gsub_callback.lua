-- class: cpu
-- tries: an endless loop in a callback of a library function
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  return job.OK, (("x"):gsub("x", function() while true do end end))
end

return job
