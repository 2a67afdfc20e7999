-- class: lifecycle
-- tries: to plan runs for times that cannot be
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local times = { "9999-99-99T99:99:99", "+292277026596-01-01", -1 / 0, 0 / 0, 10^30, "now", "", "2026-12-24T18:00:00+99:99", {}, "\0" }
  for _, time in ipairs(times) do
    for _, plan in ipairs({ core.jobs.at, core.jobs.after }) do
      local id, problem = plan(time, "benign", { number = 0 })
      if id then core.jobs.cancel(id) end
      if tostring(problem):find("internal error") then return job.OK, tostring(time) end
    end
  end
  return job.OK, "held"
end

return job
