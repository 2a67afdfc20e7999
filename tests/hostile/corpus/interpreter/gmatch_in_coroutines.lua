-- class: interpreter
-- tries: to share such an iterator between coroutines
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local iterator = string.gmatch(("a"):rep(400000), ("a?"):rep(400000))
  for _ = 1, 5 do
    coroutine.wrap(function() pcall(iterator) end)()
  end
  return job.OK, "held"
end

return job
