-- class: boundary
-- tries: to exhaust whoever reads a result that is nested without end
-- holds: COMPLETE null

local job = core.job()

function job.run(run)
  local result = {}
  for _ = 1, 10000 do result = { result } end
  return job.OK, result
end

return job
