-- class: network
-- tries: to hold all connections with requests that are never answered
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local steps = {}
  for i = 1, 100 do steps[i] = { path = "/silent", timeout = "200ms" } end
  local answers = core.network.pipeline(steps, run.data.web) or {}
  for _, answer in ipairs(answers) do
    if answer.status then return job.OK, answer.status end
  end
  return job.OK, "held"
end

return job
