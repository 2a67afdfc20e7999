-- class: cpu
-- tries: an endless loop in a metamethod of the settings
-- holds: COMPLETE "ran"

local function loop() while true do end end
local job = core.job(setmetatable({ description = "as written" }, { __index = loop, __pairs = loop, __len = loop }))

function job.run()
  return job.OK, "ran"
end

return job
