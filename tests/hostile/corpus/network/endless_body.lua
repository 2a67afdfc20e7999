-- class: network
-- tries: to fill the engine's memory with an answer that never ends
-- holds: COMPLETE 815

local job = core.job()

function job.run(run)
  local answer, _, code = core.network.get(run.data.web .. "/endless")
  return job.OK, answer and "read" or code
end

return job
