-- class: network
-- tries: a server whose JSON is nested without end
-- holds: COMPLETE 830

local job = core.job()

function job.run(run)
  local answer, _, code = core.network.getJson(run.data.web .. "/deep")
  return job.OK, answer and "read" or code
end

return job
