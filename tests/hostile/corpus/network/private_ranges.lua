-- class: network
-- tries: to look for services in the networks behind the machine
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local hosts = {
    "10.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.0.1", "100.64.0.1", "[fc00::1]", "[fd12:3456::1]", "[fec0::1]",
    "224.0.0.1", "255.255.255.255", "192.0.0.192", "198.18.0.1", "240.0.0.1", "[ff02::1]", "[2001:db8::1]",
  }
  for _, host in ipairs(hosts) do
    local answer, problem, code = core.network.get("http://" .. host .. "/", nil, { timeout = 1 })
    if answer or code ~= 815 or not problem:find(" is a ") then return job.OK, { host, problem } end
  end
  return job.OK, "held"
end

return job
