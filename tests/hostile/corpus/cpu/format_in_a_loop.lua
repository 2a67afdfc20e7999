-- class: cpu
-- tries: formats of wide numbers without end
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  while true do core.sf("%99.99f %s %q", 1e308, {}, 0.1) end
end

return job
