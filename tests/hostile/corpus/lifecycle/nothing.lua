-- class: lifecycle
-- tries: to return nothing
-- holds: ERROR "run() returned nothing; it must return job.OK"

local job = core.job()

function job.run(run)
  local function none() end
  return none()
end

return job
