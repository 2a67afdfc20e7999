-- class: network
-- tries: to smuggle a second request through names and values of headers
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local bad = {
    ["X-A"] = "1\r\nX-Injected: 1", ["X-B\r\nX-Injected"] = "1", ["X-C"] = "1\n\nSMUGGLED /smuggled HTTP/1.1\n\n", ["X D"] = "1",
    [""] = "1", ["X-E:"] = "1", ["X-F"] = "a\0b", ["Transfer-Encoding"] = "chunked", ["content-length"] = "5", Host = "evil.example",
    Connection = "Upgrade", ["Proxy-Authorization"] = "x", Expect = "100-continue", TE = "trailers", Upgrade = "h2c",
  }
  for name, value in pairs(bad) do
    local answer = core.network.post(run.data.web .. "/", "0\r\n\r\nSMUGGLED /smuggled HTTP/1.1\r\n\r\n", { [name] = value })
    if answer then return job.OK, name end
  end
  return job.OK, "held"
end

return job
