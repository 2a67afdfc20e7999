-- class: memory
-- tries: a string that doubles without end
-- holds: ERROR "of memory: the limit"

local job = core.job()

function job.run(run)
  local text = "x"
  while true do text = text .. text end
end

return job
