-- class: interpreter
-- tries: to close, wake and wrap coroutines that are not in a state for it
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local running = coroutine.running()
  pcall(coroutine.close, running)
  pcall(coroutine.resume, running)
  local itself
  itself = coroutine.create(function() pcall(coroutine.close, itself) pcall(coroutine.resume, itself) coroutine.yield() end)
  coroutine.resume(itself)
  local guarded = coroutine.create(function()
    local guard <close> = setmetatable({}, { __close = function() coroutine.yield() error("late") end })
    coroutine.yield()
  end)
  coroutine.resume(guarded)
  pcall(coroutine.close, guarded)
  pcall(coroutine.close, guarded)
  local dead = coroutine.wrap(error)
  pcall(dead) pcall(dead)
  pcall(coroutine.wrap(function() table.sort({ 3, 2, 1 }, coroutine.yield) end))
  pcall(coroutine.wrap(function() string.gsub("x", "x", coroutine.yield) end))
  return job.OK, "held"
end

return job
