-- class: lifecycle
-- tries: to leave run() by a yield, so that it never ends
-- holds: ERROR "attempt to yield from outside a coroutine"

local job = core.job()

function job.run(run)
  coroutine.yield(job.OK, "yielded")
  return job.OK, "came back"
end

return job
