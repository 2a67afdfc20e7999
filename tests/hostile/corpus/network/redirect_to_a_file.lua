-- class: network
-- tries: to be led to a file of the machine
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local answer = core.network.get(run.data.web .. "/to-file")
  return job.OK, answer and answer.body or "held"
end

return job
