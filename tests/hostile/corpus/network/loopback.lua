-- class: network
-- tries: to call a service of the machine itself
-- holds: COMPLETE "is a loopback address"

local job = core.job()

function job.run(run)
  local answer, problem = core.network.get("http://127.0.0.1:" .. run.data.port .. "/")
  return job.OK, answer and answer.body or problem:match("is a loopback address")
end

return job
