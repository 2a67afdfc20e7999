-- class: network
-- tries: to call a service of the machine by every other way to write its address
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local hosts = {
    "127.1", "127.0.1", "0", "0.0.0.0", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1", "127.000.000.001",
    "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
    "[::ffff:0:127.0.0.1]", "[fe80::1]", "[::1%25lo]", "127.0.0.1.", "127。0。0。1", "①②⑦.0.0.1", "127.0.0.1%00.example.com",
  }
  for _, host in ipairs(hosts) do
    if core.network.get("http://" .. host .. ":" .. run.data.port .. "/") then return job.OK, host end
  end
  return job.OK, "held"
end

return job
