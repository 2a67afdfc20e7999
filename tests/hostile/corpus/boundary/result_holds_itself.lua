-- class: boundary
-- tries: to send the engine round in a circle
-- holds: COMPLETE null

local job = core.job()

function job.run(run)
  local result = { name = "circle" }
  result.again = { result, { result } }
  return job.OK, result
end

return job
