-- class: cpu
-- tries: an endless loop in a coroutine
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  coroutine.wrap(function() while true do end end)()
  return job.OK
end

return job
