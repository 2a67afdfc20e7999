-- class: network
-- tries: to let the check see one host and the connection another
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local canary, web = "127.0.0.1:" .. run.data.port, run.data.web:gsub("^http://", "")
  local urls = {
    web .. "@" .. canary, web .. "#@" .. canary, web .. "\\@" .. canary, canary .. "#" .. web, web .. " @" .. canary,
    web .. "\t@" .. canary, canary .. "\0." .. web, web .. "%00@" .. canary, "x:y@" .. canary, canary .. "?@" .. web,
  }
  for _, rest in ipairs(urls) do
    local answer = core.network.get("http://" .. rest .. "/")
    if answer and not answer.body:find("^GET\n") then return job.OK, rest end
  end
  return job.OK, "held"
end

return job
