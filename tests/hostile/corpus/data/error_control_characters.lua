-- class: data
-- tries: to take over the terminal of whoever reads the error
-- holds: ERROR "\\x1b]0;owned\\x07"

local job = core.job()

function job.run(run)
  error("\27]0;owned\7\27[2J\0", 0)
end

return job
