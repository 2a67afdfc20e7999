-- class: lifecycle
-- tries: to sleep longer than any limit
-- holds: TIMEOUT "stopped after 1 s: the job's timeout"

local job = core.job { timeout = "1s" }

function job.run(run)
  for _ = 1, 100 do pcall(core.sleep, 10^9) end
  return job.OK
end

return job
