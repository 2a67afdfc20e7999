-- class: cpu
-- tries: comparisons of long texts without end
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  local text = ("x"):rep(2 * 1024 * 1024)
  local other = text .. "y"
  while text < other do end
  return job.OK
end

return job
