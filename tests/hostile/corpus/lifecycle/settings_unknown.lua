-- class: lifecycle
-- tries: to set what no job may set
-- holds: INVALID "unknown setting"

local job = core.job { cpu = "10h", limits = { calls = 10^9 }, owner = "root", sandbox = false }

function job.run()
  return job.OK
end

return job
