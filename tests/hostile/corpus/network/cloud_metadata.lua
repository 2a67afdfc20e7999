-- class: network
-- tries: to fetch the credentials that clouds give to their machines
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local hosts = { "169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "168.63.129.16", "2852039166", "[::ffff:a9fe:a9fe]" }
  for _, host in ipairs(hosts) do
    local url = "http://" .. host .. "/latest/meta-data/iam/security-credentials/"
    local answer, problem = core.network.get(url, { Metadata = "true" }, { timeout = 1 })
    if answer or not problem:find("which no job may reach", 1, true) then return job.OK, { host, problem } end
  end
  return job.OK, "held"
end

return job
