-- class: cpu
-- tries: one call of string.match with optional items that double the work each
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  return job.OK, (("a"):rep(40)):match(("a?"):rep(40) .. ("a"):rep(40))
end

return job
