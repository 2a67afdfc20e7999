-- class: network
-- tries: to be led to a service of the machine by a server outside
-- holds: COMPLETE "is a loopback address"

local job = core.job()

function job.run(run)
  local answer, problem = core.network.get(run.data.web .. "/to-canary")
  return job.OK, answer and answer.body or problem:match("is a loopback address")
end

return job
