-- class: lifecycle
-- tries: to end a run a second time, and to ask for runs by numbers that are none
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  if core.jobs.cancel(1) == true then return job.OK, "ended a run that had ended" end
  for _, id in ipairs({ 0, -1, 2^53, math.maxinteger, "1 OR 1=1", {}, 1.5 }) do
    local _, problem = core.jobs.status(id)
    if tostring(problem):find("internal error") then return job.OK, tostring(id) end
  end
  return job.OK, "held"
end

return job
