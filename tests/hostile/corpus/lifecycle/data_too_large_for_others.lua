-- class: lifecycle
-- tries: to give another run more than it may have
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local id, problem = core.jobs.after("1h", "benign", { text = ("x"):rep(2 * 1024 * 1024) })
  if id then core.jobs.cancel(id) end
  return job.OK, not id and problem and "held" or "planned"
end

return job
