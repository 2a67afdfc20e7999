-- class: network
-- tries: to smuggle a second request through the path
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local paths = {
    "/ HTTP/1.1\r\nX-Injected: 1\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n", "/a\r\nX-Injected: 1", "/a\nX-Injected:1",
    "/%0d%0aX-Injected:%201", "/a\0b", "/ä\r\n", "/a b\rX-Injected: 1",
  }
  for _, path in ipairs(paths) do
    local answer = core.network.get(run.data.web .. path)
    if answer and answer.body:lower():find("\nx-injected=", 1, true) then return job.OK, path end
  end
  return job.OK, "held"
end

return job
