-- class: network
-- tries: to speak with services of the machine that are not of the web
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  for _, port in ipairs({ 22, 25, 110, 143, 3306, 5432, 6379, 11211, 0, -1, 65536, 99999999999 }) do
    if core.network.get("http://127.0.0.1:" .. port .. "/", nil, { timeout = 1 }) then return job.OK, port end
  end
  return job.OK, "held"
end

return job
