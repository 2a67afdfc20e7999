-- class: cpu
-- tries: hashes without end
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  local text = ("x"):rep(100000)
  while true do text = core.md5(text):rep(3000) end
end

return job
