-- class: cpu
-- tries: tracebacks of deep stacks without end
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  local function deep(n)
    if n == 0 then while true do debug.traceback("x") end end
    return 1 + deep(n - 1)
  end
  return job.OK, deep(150000)
end

return job
