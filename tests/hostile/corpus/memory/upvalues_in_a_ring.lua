-- class: memory
-- tries: rings of tables that only a collector finds, made faster than it works
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  for i = 1, 50000 do
    local a, b = {}, {}
    a.b, b.a, a.text = b, a, ("x"):rep(10) .. i
  end
  return job.OK, "held"
end

return job
