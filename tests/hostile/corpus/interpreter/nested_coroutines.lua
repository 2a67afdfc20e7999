-- class: interpreter
-- tries: to nest coroutines until the machine's own stack is full
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local function nest(level)
    local ok, deeper = pcall(coroutine.wrap(function() return nest(level + 1) end))
    return ok and deeper or level
  end
  return job.OK, nest(1) < 10000 and "held" or "too deep"
end

return job
