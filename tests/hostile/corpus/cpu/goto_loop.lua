-- class: cpu
-- tries: a loop without any word for loops
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  ::again::
  goto again
end

return job
