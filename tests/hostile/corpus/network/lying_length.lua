-- class: network
-- tries: an answer that says it is larger than any memory
-- holds: COMPLETE 815

local job = core.job()

function job.run(run)
  local answer, _, code = core.network.get(run.data.web .. "/liar")
  return job.OK, answer and "read" or code
end

return job
