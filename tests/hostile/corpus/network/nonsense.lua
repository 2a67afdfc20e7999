-- class: network
-- tries: a server that speaks something else than HTTP
-- holds: COMPLETE 815

local job = core.job()

function job.run(run)
  local answer, _, code = core.network.get(run.data.web .. "/nonsense")
  return job.OK, answer and "read" or code
end

return job
