-- class: lifecycle
-- tries: to break the list of jobs by an error value
-- holds: INVALID "error value: a table"

local job = core.job()
error(setmetatable({}, { __tostring = function() while true do end end, __index = error }))

return job
