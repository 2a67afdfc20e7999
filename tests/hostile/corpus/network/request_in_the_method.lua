-- class: network
-- tries: to smuggle a second request through the method
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  for _, method in ipairs({ "SMUGGLED", "GET /smuggled HTTP/1.1\r\nX:", "CONNECT", "TRACE", "get\r\n", "", "G\0T" }) do
    local answer = core.network.request(run.data.web .. "/", { method = method })
    if answer then return job.OK, method end
  end
  return job.OK, "held"
end

return job
