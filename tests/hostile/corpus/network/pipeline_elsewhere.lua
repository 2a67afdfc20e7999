-- class: network
-- tries: to send the later requests of a pipeline to another host
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local canary = "127.0.0.1:" .. run.data.port
  local paths = { "@" .. canary .. "/", "//" .. canary .. "/", "http://" .. canary .. "/", ":80@" .. canary, "\\\\" .. canary, ".evil.example/" }
  for _, path in ipairs(paths) do
    local answers = core.network.pipeline({ { path = path } }, run.data.web)
    local first = answers and answers[1]
    if first and first.status and not first.body:find("^GET\n") then return job.OK, path end
  end
  return job.OK, "held"
end

return job
