-- class: cpu
-- tries: an endless loop while the file is read for its settings
-- holds: INVALID "outside of job.run(): work belongs inside job.run()"

local job = core.job()

while true do pcall(function() while true do end end) end

return job
