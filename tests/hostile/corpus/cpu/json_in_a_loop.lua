-- class: cpu
-- tries: work that is done by Python inside the worker
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  local text = "[" .. ("1,"):rep(50000) .. "1]"
  while true do core.json_safe.decode(text) end
end

return job
