-- class: lifecycle
-- tries: to raise the operator's limits by its own settings
-- holds: INVALID "is above the operator's limit"

local job = core.job { timeout = "1000h", memory = "100GB" }

function job.run()
  while true do end
end

return job
