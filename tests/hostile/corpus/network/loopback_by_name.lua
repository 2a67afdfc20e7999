-- class: network
-- tries: to call a service of the machine by a name that leads to it
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  for _, name in ipairs({ "localhost", "LOCALHOST", "localhost.", "ip6-localhost", "ip6-loopback", "localhost.localdomain" }) do
    if core.network.get("http://" .. name .. ":" .. run.data.port .. "/") then return job.OK, name end
  end
  return job.OK, "held"
end

return job
