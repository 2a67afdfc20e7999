-- class: cpu
-- tries: to walk long texts without end
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  local text = ("ä"):rep(500000)
  while true do utf8.len(text) utf8.offset(text, 400000) end
end

return job
