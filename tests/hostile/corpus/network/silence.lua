-- class: network
-- tries: to hold the engine with a server that never answers
-- holds: COMPLETE 815

local job = core.job()

function job.run(run)
  local answer, _, code = core.network.get(run.data.web .. "/silent", nil, { timeout = "300ms" })
  return job.OK, answer and "read" or code
end

return job
