-- class: network
-- tries: to let the look-up of names stumble
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local hosts = { ("a"):rep(300), ("a."):rep(200), "..", "a..b", "-", "xn--", "xn--" .. ("a"):rep(60), "ä" .. ("ö"):rep(100), "\xff" }
  for _, host in ipairs(hosts) do
    if core.network.get("http://" .. host .. "/", nil, { timeout = 1 }) then return job.OK, host end
  end
  return job.OK, "held"
end

return job
