-- class: lifecycle
-- tries: to sleep for times that cannot be
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  for _, time in ipairs({ -1, 0 / 0, -1 / 0, "x", {}, true, "-5s", "\0" }) do
    local _, problem = core.sleep(time)
    if problem and tostring(problem):find("internal error") then return job.OK, tostring(time) end
  end
  return job.OK, "held"
end

return job
