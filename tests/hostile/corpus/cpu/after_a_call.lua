-- class: cpu
-- tries: to go on for ever after the engine answered, so that the answer does not help
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  core.data("loops"):get("none")
  while true do end
end

return job
