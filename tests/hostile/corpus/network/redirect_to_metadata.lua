-- class: network
-- tries: to be led to the credentials of clouds by a server outside
-- holds: COMPLETE 815

local job = core.job()

function job.run(run)
  local answer, _, code = core.network.get(run.data.web .. "/to-metadata")
  return job.OK, answer and answer.body or code
end

return job
