-- class: interpreter
-- tries: to call an iterator again that ended with "pattern too complex"
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local iterator = string.gmatch(("a"):rep(400000), ("a?"):rep(400000))
  for _ = 1, 5 do pcall(iterator) end
  local other = ("a"):rep(1000):gmatch(("a?"):rep(300))
  pcall(other)
  return job.OK, pcall(other) and "went on" or "held"
end

return job
