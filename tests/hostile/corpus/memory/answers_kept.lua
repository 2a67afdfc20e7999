-- class: memory
-- tries: to keep every answer of the engine
-- holds: ERROR "of memory: the limit"

local job = core.job()

function job.run(run)
  core.data("kept"):save({ _id = "big", text = ("x"):rep(500000) })
  local list = {}
  for i = 1, 1000 do list[i] = core.data("kept"):get("big") end
  return job.OK
end

return job
