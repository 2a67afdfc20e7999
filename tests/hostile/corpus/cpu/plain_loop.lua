-- class: cpu
-- tries: an endless loop
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  while true do end
end

return job
