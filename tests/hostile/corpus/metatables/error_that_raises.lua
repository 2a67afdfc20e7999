-- class: metatables
-- tries: to break the engine's error handler by errors inside of it
-- holds: ERROR "error value: a table"

local job = core.job()

function job.run(run)
  local bad = {}
  bad.__tostring = function() error(setmetatable({}, bad)) end
  bad.__name = setmetatable({}, bad)
  error(setmetatable({}, bad))
end

return job
