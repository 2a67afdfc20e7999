-- class: data
-- tries: to fill the database by a result
-- holds: COMPLETE null

local job = core.job()

function job.run(run)
  local list = {}
  for i = 1, 5000 do list[i] = ("x"):rep(100) end
  return job.OK, list
end

return job
