-- class: data
-- tries: to leave a secret that one may use in an error with its traceback
-- holds: ERROR "the key is ***"

local job = core.job()

function job.run(run)
  error("the key is " .. core.secret("CANARY"))
end

return job
