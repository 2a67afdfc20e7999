-- class: lifecycle
-- tries: to run jobs by names that lead elsewhere
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local names = { "../benign", "moontide/../benign", "/etc/passwd", "", "benign\0", "lib/good", "benign.lua", ("x"):rep(100000), "*", "%" }
  for _, name in ipairs(names) do
    if core.jobs.now(name) or core.jobs.after("10y", name) then return job.OK, name end
  end
  return job.OK, "held"
end

return job
