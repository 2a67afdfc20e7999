-- class: data
-- tries: to hide terminal commands in the result
-- holds: COMPLETE "\u001b]0;owned\u0007"

local job = core.job()

function job.run(run)
  return job.OK, "\27]0;owned\7"
end

return job
