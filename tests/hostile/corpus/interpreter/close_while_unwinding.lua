-- class: interpreter
-- tries: to leave functions in the middle of their cleaning up
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local function guard(action) return setmetatable({}, { __close = action }) end
  for _ = 1, 200 do
    local thread = coroutine.wrap(function()
      local a <close> = guard(function() coroutine.yield("a") end)
      local b <close> = guard(function() error({}) end)
      local c <close> = guard(function() pcall(error) end)
      coroutine.yield("in")
      error("out")
    end)
    for _ = 1, 5 do pcall(thread) end
  end
  return job.OK, "held"
end

return job
