-- class: cpu
-- tries: a library module that the compiler takes far too long for
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  while true do pcall(require, "lib.slow") coroutine.wrap(pcall)(require, "lib.slow") end
end

return job
