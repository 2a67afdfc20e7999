-- class: network
-- tries: to keep the engine going round by redirects
-- holds: COMPLETE "more than 5 redirects"

local job = core.job()

function job.run(run)
  local _, problem = core.network.get(run.data.web .. "/to-itself")
  return job.OK, tostring(problem):match("more than 5 redirects") or problem
end

return job
