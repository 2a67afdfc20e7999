-- class: lifecycle
-- tries: library modules that need one another
-- holds: INVALID "needs itself, directly or by another module"

local job = core.job()
require("lib.first")

return job
