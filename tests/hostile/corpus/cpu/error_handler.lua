-- class: cpu
-- tries: an endless loop in an error handler
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  xpcall(error, function() while true do end end)
  return job.OK
end

return job
