-- class: network
-- tries: to fill the engine's memory with an answer that grows when it is unpacked
-- holds: COMPLETE 815

local job = core.job()

function job.run(run)
  local answer, _, code = core.network.get(run.data.web .. "/bomb")
  return job.OK, answer and #answer.body or code
end

return job
