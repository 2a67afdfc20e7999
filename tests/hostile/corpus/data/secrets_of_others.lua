-- class: data
-- tries: to find secrets that are no job's
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local names = { "PATH", "HOME", "../CANARY", "CANARY\0", "MYSQL", "api.token", "", ("A"):rep(5000), "__class__", "canary", "CANARY " }
  for _, name in ipairs(names) do
    if core.secret(name) then return job.OK, name end
  end
  return job.OK, "held"
end

return job
