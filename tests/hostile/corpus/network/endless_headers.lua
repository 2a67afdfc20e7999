-- class: network
-- tries: to fill the engine's memory with headers that never end
-- holds: COMPLETE 815

local job = core.job()

function job.run(run)
  local answer, _, code = core.network.get(run.data.web .. "/headers")
  return job.OK, answer and "read" or code
end

return job
