-- class: lifecycle
-- tries: to fill the engine by settings without end
-- holds: INVALID "core.job: the settings cannot be used"
-- holds: INVALID "outside of job.run(): work belongs inside job.run()"

local tags = {}
for i = 1, 200000 do tags["tag" .. i] = "x" end
local job = core.job { tags = tags }

function job.run()
  return job.OK
end

return job
