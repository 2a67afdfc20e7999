-- class: data
-- tries: to fill the disk by a log without end
-- holds: COMPLETE "went on"

local job = core.job()

function job.run(run)
  local line = ("x"):rep(1000)
  for _ = 1, 5000 do core.log(line) end
  return job.OK, "went on"
end

return job
